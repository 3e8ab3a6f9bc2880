"""Texts and messages on the customer's page, brought into the shape of all inbound messages."""

from collections.abc import Sequence

from portal.attachments.stored_file import StoredFile
from portal.messaging.sms.gsm_text import storable
from portal.messaging.sms.sender_address import (
    read_sender,
    read_transport,
    read_whatsapp_number,
)
from portal.models import Channel, Message, ServiceRequest
from portal.operations.conversation.attachments import IncomingMedia
from portal.operations.conversation.inbound import receive
from portal.operations.conversation.inbound_message import InboundMessage, OptOutType
from portal.operations.conversation.staff_messages import check_message_body
from portal.operations.unit_of_work import UnitOfWork


async def receive_text(
    uow: UnitOfWork,
    *,
    sid: str,
    sender: str,
    to: str,
    body: str,
    opt_out_type: OptOutType | None = None,
    media: Sequence[IncomingMedia] = (),
) -> None:
    """Record an inbound text once, and answer it or give it an owner.

    ``sid`` is the provider's id of the text: the same id again changes nothing. ``opt_out_type``
    is what Twilio took it for and has answered itself. ``media`` came with it; the text may then be
    empty. From a stopped number, in a loop and in a flood it is recorded and owned, not answered;
    from letters, a short code or a hidden number too, and it stops nobody. ``sender`` is an address
    of Twilio's: the number of a person is the same by SMS, RCS and WhatsApp.
    """
    await receive(
        uow,
        InboundMessage(
            channel=Channel.SMS, body=storable(body), provider_id=sid,
            sender=read_sender(sender), recipient=to, transport=read_transport(sender),
            whatsapp_number=read_whatsapp_number(sender),
            opt_out_type=opt_out_type, media=media,
        ),
    )  # fmt: skip


async def receive_web_message(
    uow: UnitOfWork,
    request: ServiceRequest,
    body: str,
    files: Sequence[StoredFile] = (),
    *,
    is_for_person: bool = False,
    need: str = "",
) -> Message:
    """Record what the customer wrote on their page, and answer it or give it an owner.

    ``request`` is locked. With ``files``, which are stored already, the text may be empty.
    ``is_for_person``: a person answers it, whatever the text looks like. ``need`` is the key of the
    item that the files are for. Raises BadInput for a text that is empty or too long.
    """
    body = check_message_body(body) if body.strip() or not files else ""
    inbound = InboundMessage(
        channel=Channel.WEB,
        body=storable(body),
        request_id=request.id,
        files=files,
        is_for_person=is_for_person,
        need=need,
    )
    message = await receive(uow, inbound, request)
    if message is None:
        raise LookupError(
            "A message of the page has no provider id that could be recorded already."
        )
    return message
