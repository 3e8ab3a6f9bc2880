"""The customers' pages: the status page behind the link, and the pages around it."""

from starlette.middleware import Middleware
from starlette.routing import Route

from portal.tracking import (
    attachments,
    change_address,
    exports,
    find_request,
    language,
    messages,
    my_requests,
    preferences,
    push,
    replace_link,
    robots,
    share_link,
    unsubscribe,
    visit,
    withdrawal,
)
from portal.tracking.link_limits import STOP, Endpoint, limited_by_link
from portal.tracking.outage import show_outage
from portal.tracking.status_page.cache import StatusPageCache
from portal.tracking.status_page.endpoints import (
    StatusPageEndpoint,
    StatusPageStream,
    show_unknown_link,
)
from portal.tracking.verification import endpoints
from portal.web.body_limit import BodyLimit

__all__ = ["StatusPageCache", "routes", "show_outage", "show_unknown_link"]

MAX_FORM_BYTES = 64_000
"""Bytes of a form without files: a message of 1,600 letters takes 19,200 in the longest encoding."""


def _form(path: str, endpoint: Endpoint) -> Route:
    limit = Middleware(BodyLimit, max_bytes=MAX_FORM_BYTES)
    return Route(path, endpoint, methods=["POST"], middleware=[limit])


routes = [
    Route("/r/{token}", StatusPageEndpoint(), methods=["GET"]),
    Route("/r/{token}/live", StatusPageStream(), methods=["GET"]),
    Route(
        "/r/{token}/messages",
        messages.post_message,
        methods=["POST"],
        middleware=[
            Middleware(attachments.UploadSizeLimit, on_too_large=messages.reject_oversized)
        ],
    ),
    Route("/r/{token}/files/{id:int}", attachments.show_file, methods=["GET"]),
    Route("/r/{token}/faces/{digest}", attachments.show_face, methods=["GET"]),
    _form("/r/{token}/answers", limited_by_link(messages.post_answer)),
    _form("/r/{token}/language", limited_by_link(language.switch_language)),
    Route("/r/{token}/preferences", preferences.show_preferences, methods=["GET"]),
    _form("/r/{token}/preferences", preferences.save_preferences),
    Route("/r/{token}/code", endpoints.show_code_form, methods=["GET"]),
    _form("/r/{token}/code", limited_by_link(endpoints.submit_code)),
    _form("/r/{token}/forget", limited_by_link(endpoints.forget_browser)),
    Route("/r/{token}/mine", my_requests.show_my_requests, methods=["GET"]),
    Route("/r/{token}/replace", replace_link.show_form, methods=["GET"]),
    _form("/r/{token}/replace", replace_link.submit),
    Route("/r/{token}/share", share_link.show_form, methods=["GET"]),
    _form("/r/{token}/share", limited_by_link(share_link.change_sharing)),
    Route("/s/{token}", share_link.show_shared_page, methods=["GET"]),
    Route("/r/{token}/push-worker.js", push.show_worker, methods=["GET"]),
    _form("/r/{token}/push", limited_by_link(push.subscribe)),
    Route("/r/{token}/address", change_address.show_form, methods=["GET"]),
    _form("/r/{token}/address", limited_by_link(change_address.submit)),
    Route("/r/{token}/withdraw", withdrawal.show_form, methods=["GET"]),
    _form("/r/{token}/withdraw", limited_by_link(withdrawal.submit)),
    Route("/r/{token}/unsubscribe", unsubscribe.show_form, methods=["GET"]),
    _form(
        "/r/{token}/unsubscribe", limited_by_link(unsubscribe.unsubscribe, STOP, from_any_site=True)
    ),
    Route("/r/{token}/visit", visit.show_visit, methods=["GET"]),
    _form("/r/{token}/visit", limited_by_link(visit.change_visit)),
    Route("/r/{token}/appointment.ics", exports.send_calendar, methods=["GET"]),
    Route("/r/{token}/manifest.webmanifest", exports.show_manifest, methods=["GET"]),
    Route("/r/{token}/paper", exports.show_printable_link, methods=["GET"]),
    Route("/r/{token}/qr.svg", exports.show_qr, methods=["GET"]),
    Route("/", find_request.show_form, methods=["GET"]),
    _form("/", find_request.send_link),
    Route("/robots.txt", robots.show_robots, methods=["GET"]),
]
