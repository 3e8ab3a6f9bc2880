"""Taking in what came, once, also where it is told twice at the same moment."""

from collections.abc import Awaitable, Callable

from sqlalchemy.exc import IntegrityError

from portal.models import THE_CUSTOMER
from portal.operations import Relay, Turn


async def take_in(relay: Relay, hear: Callable[[Turn], Awaitable[None]]) -> None:
    """Hear it in one turn; where the same was heard meanwhile, look again and find it there.

    So a provider that repeats itself is always told that we have it.
    """
    try:
        async with relay.turn(THE_CUSTOMER) as turn:
            await hear(turn)
    except IntegrityError:
        async with relay.turn(THE_CUSTOMER) as turn:
            await hear(turn)
