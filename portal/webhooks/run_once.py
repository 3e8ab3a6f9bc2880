"""Taking in what came, once, also where it is told twice at the same moment."""

from collections.abc import Awaitable, Callable

from sqlalchemy.exc import IntegrityError

from portal.models import CUSTOMER_ACTOR
from portal.operations import Operations, UnitOfWork


async def run_once(
    operations: Operations, handler: Callable[[UnitOfWork], Awaitable[None]]
) -> None:
    """Hear it in one turn; where the same was heard meanwhile, look again and find it there.

    So a provider that repeats itself is always told that we have it.
    """
    try:
        async with operations.begin(CUSTOMER_ACTOR) as uow:
            await handler(uow)
    except IntegrityError:
        async with operations.begin(CUSTOMER_ACTOR) as uow:
            await handler(uow)
