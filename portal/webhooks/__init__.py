"""Webhooks of providers: inbound texts, receipts, mail, reports of third parties. An unsigned call is refused."""

from starlette.routing import Route

from portal.webhooks.inbound_email import MAX_MAIL_BYTES, receive_mail
from portal.webhooks.third_parties import routes as third_party_routes
from portal.webhooks.twilio import MAX_BODY_BYTES, receive_receipt, receive_text

routes = [
    Route(
        "/twilio/inbound",
        receive_text,
        methods=["POST"],
        name="twilio-inbound",
        max_body_size=MAX_BODY_BYTES,
    ),
    Route(
        "/twilio/status",
        receive_receipt,
        methods=["POST"],
        name="twilio-status",
        max_body_size=MAX_BODY_BYTES,
    ),
    Route(
        "/email/inbound",
        receive_mail,
        methods=["POST"],
        name="email-inbound",
        max_body_size=MAX_MAIL_BYTES,
    ),
    *third_party_routes,
]

__all__ = ["routes"]
