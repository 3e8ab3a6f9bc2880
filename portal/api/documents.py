"""Documents for the customer, given by other systems."""

import base64

from starlette.requests import Request

from portal import operations
from portal.api.schemas.inputs import NewDocument
from portal.api.schemas.messages import MessageResponse
from portal.attachments.stored_file import StoredFile
from portal.errors import BadInput
from portal.models.columns import saved_id
from portal.operations import UnitOfWork
from portal.queries.attachments import attachments_by_message


async def store_document(request: Request, body: NewDocument) -> StoredFile:
    """Check and store the file, before the transaction. Raises BadInput and FileRefused."""
    try:
        data = base64.b64decode(body.content, validate=True)
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
