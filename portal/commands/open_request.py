"""`kept open`: a request opened from the command line."""

from portal.commands.runner import THE_TERMINAL, act
from portal.operations import Order, Relay, open_request
from portal.settings import Settings


def open_from_terminal(settings: Settings, order: Order) -> list[str]:
    """Open it, owe the customer the first text, and give its reference and link."""

    async def begin(relay: Relay) -> list[str]:
        async with relay.turn(THE_TERMINAL) as turn:
            request = await open_request(turn, order)
            link = (await turn.teller(request)).link
        return [request.reference, link]

    return act(settings, begin)
