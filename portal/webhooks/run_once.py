"""Handling a provider's call once, also where it comes twice at the same moment."""

from collections.abc import Awaitable, Callable

from sqlalchemy.exc import IntegrityError

from portal.models import CUSTOMER_ACTOR, Actor
from portal.operations import Operations, UnitOfWork


async def run_once(
    operations: Operations,
    handler: Callable[[UnitOfWork], Awaitable[None]],
    actor: Actor = CUSTOMER_ACTOR,
) -> None:
    """Handle it in one transaction; where another has recorded the same, once more.

    The second time the handler finds it recorded, so a provider that repeats itself gets a 2xx.
    """
    try:
        async with operations.begin(actor) as uow:
            await handler(uow)
    except IntegrityError:
        async with operations.begin(actor) as uow:
            await handler(uow)
