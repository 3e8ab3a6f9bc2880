"""`kept open`: open a request from the command line."""

from portal.commands.runner import COMMAND_LINE_ACTOR, command
from portal.operations import Operations, RequestDetails, open_request


@command
async def open_from_command_line(operations: Operations, order: RequestDetails) -> list[str]:
    """Open a request, queue the first text, and return its reference and link."""
    async with operations.begin(COMMAND_LINE_ACTOR) as uow:
        request = await open_request(uow, order)
        link = (await uow.renderer(request)).link
    return [request.reference, link]
