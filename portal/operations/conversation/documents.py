"""Documents that staff and other systems give to the customer: a permit, an invoice, a proof."""

from datetime import timedelta

from portal.attachments.stored_file import StoredFile
from portal.models import EventKind, Message, MessageKind, ServiceRequest
from portal.models.columns import saved_id
from portal.operations.authorization import authorize
from portal.operations.conversation.attachments import attach_files
from portal.operations.outbox import Draft
from portal.operations.unit_of_work import UnitOfWork
from portal.queries.attachments import find_recent_document
from portal.rules.authorization import Act

REPEATED_WITHIN = timedelta(minutes=10)
"""The same bytes again within this time are taken for a repeated call or a double press."""


async def give_document(uow: UnitOfWork, request: ServiceRequest, file: StoredFile) -> Message:
    """Put the file on the customer's page, and notify them of it once. The file is stored already.

    The message names no file: what a document is called may be private. The same file again within
    REPEATED_WITHIN changes nothing and gives the first message. The caller has locked the request,
    so of two calls at once the second finds the first. Raises Busy as ``attach_files`` does.
    """
    await authorize(uow, request, Act.WRITE)
    since = uow.now - REPEATED_WITHIN
    given = await find_recent_document(uow.session, saved_id(request), file.digest, since)
    if given is not None:
        return given
    event = request.record(EventKind.DOCUMENT_GIVEN, uow.actor, uow.now, bumps_version=False)
    await uow.finish(request)
    renderer = await uow.renderer(request)
    message = await uow.outbox.queue(
        request,
        Draft(
            MessageKind.DOCUMENT,
            f"event:{event.id}",
            renderer.say("document"),
            author=uow.actor.name,
            author_id=uow.actor.staff_id,
            event_id=event.id,
            urgent=await uow.is_customer_waiting(request),
        ),
    )
    await uow.session.flush()
    await attach_files(uow, message, [file])
    return message
