"""Documents that staff and other systems give to the customer: a permit, an invoice, a proof."""

from portal.attachments.stored_file import StoredFile
from portal.models import EventKind, Message, MessageKind, ServiceRequest
from portal.operations.authorization import authorize
from portal.operations.conversation.attachments import attach_files
from portal.operations.outbox import Draft
from portal.operations.unit_of_work import UnitOfWork
from portal.rules.authorization import Act


async def give_document(uow: UnitOfWork, request: ServiceRequest, file: StoredFile) -> Message:
    """Put the file on the customer's page, and notify them of it once. The file is stored already.

    The message names no file: what a document is called may be private. Raises Busy as
    ``attach_files`` does.
    """
    await authorize(uow, request, Act.WRITE)
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
