"""Documents for the customer, given by other systems."""

import asyncio
import base64

from starlette.requests import Request

from portal import operations
from portal.api.endpoint import find_acting_staff
from portal.api.schemas.inputs import NewDocument
from portal.api.schemas.messages import MessageResponse
from portal.attachments.stored_file import StoredFile
from portal.errors import BadInput
from portal.models.columns import saved_id
from portal.operations import UnitOfWork
from portal.queries.attachments import attachments_by_message
from portal.queries.requests import get_service_request
from portal.queries.staff import load_colleague
from portal.rules.authorization import Act, authorize


async def store_document(request: Request, body: NewDocument, reference: str) -> StoredFile:
    """Check and store the file, before the transaction.

    Nothing is decoded or stored for a call that the transaction would refuse. Raises NotFound,
    NotAllowed, Conflict, BadInput and FileRefused.
    """
    async with request.app.state.database.reading() as session:
        service_request = await get_service_request(session, reference)
        person = await find_acting_staff(session, body.by) if body.by is not None else None
        colleague = await load_colleague(session, person) if person is not None else None
    authorize(colleague, service_request, None, Act.WRITE)
    try:
        # In a thread: a file of many megabytes would hold up every other call.
        data = await asyncio.to_thread(base64.b64decode, body.content, validate=True)
    except ValueError:  # No base64, or no ASCII.
        raise BadInput(
            "The content must be the file in base64 (RFC 4648).", fields={"content": "base64"}
        ) from None
    store = request.app.state.file_store
    stored: StoredFile = await store.put(await store.check(data, body.name))
    return stored


async def give_document(
    uow: UnitOfWork, body: NewDocument, reference: str, *, prepared: StoredFile
) -> MessageResponse:
    """Put a photo or PDF on the customer's page, and notify them of it once."""
    del body
    request = await uow.lock(reference)
    message = await operations.give_document(uow, request, prepared)
    files = await attachments_by_message(uow.session, [message])
    return MessageResponse.of(message, request.reference, (), files.get(saved_id(message), ()))
