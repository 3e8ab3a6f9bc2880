"""`kept open`: open a request from the command line."""

from portal.commands.runner import COMMAND_LINE_ACTOR, run_operation
from portal.operations import Operations, RequestDetails, open_request
from portal.settings import Settings


def open_from_command_line(settings: Settings, order: RequestDetails) -> list[str]:
    """Open a request, queue the first text, and return its reference and link."""

    async def begin(operations: Operations) -> list[str]:
        async with operations.begin(COMMAND_LINE_ACTOR) as uow:
            request = await open_request(uow, order)
            link = (await uow.renderer(request)).link
        return [request.reference, link]

    return run_operation(settings, begin)
