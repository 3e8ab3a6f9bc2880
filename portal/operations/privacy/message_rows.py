"""Erases the rows of messages, and what dropped balls say about them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import col

from portal.models import DroppedBall, Message, SendAttempt
from portal.models.messages.message import NEEDS_ATTENTION
from portal.operations.privacy.classification import replacements
from portal.operations.unit_of_work import UnitOfWork

ADDRESS_SUBJECTS = ("flood:", "number:")
"""The beginnings of the subjects of dropped balls that name an address."""


async def erase_texts(uow: UnitOfWork, ids: Sequence[int]) -> None:
    """Erase what these messages say, and nothing else of them.

    One that had failed is resolved: there is nothing left of it to send again.
    """
    of_messages = col(Message.id).in_(ids)
    failed = sa.update(Message).where(of_messages, sa.text(NEEDS_ATTENTION))
    await execute(uow, failed.values(handled_at=uow.now, handled_by=uow.actor.name))
    await execute(uow, sa.update(Message).where(of_messages).values(replacements(Message)))
    attempts = sa.update(SendAttempt).where(col(SendAttempt.message_id).in_(ids))
    await execute(uow, attempts.values(replacements(SendAttempt)))
    await erase_balls(
        uow, col(DroppedBall.subject).in_([f"message:{message_id}" for message_id in ids])
    )


async def erase_addresses(uow: UnitOfWork, ids: Sequence[int]) -> None:
    """Erase to and from whom these messages went, and the provider's ids."""
    await execute(
        uow,
        sa.update(Message)
        .where(col(Message.id).in_(ids))
        .values(
            # The cause of what came in is made of the provider's id.
            cause=_named_by_id("erased:", col(Message.id)),
            to_address="", from_address="", whatsapp_number="", provider_sid=None, poll_at=None,
        ),
    )  # fmt: skip
    attempts = sa.update(SendAttempt).where(col(SendAttempt.message_id).in_(ids))
    await execute(uow, attempts.values(provider_sid=None))


def balls_about_addresses(raised_before: datetime) -> Any:
    """The condition (SQL) for dropped balls that name an address and were raised before this."""
    names_one = [col(DroppedBall.subject).startswith(start) for start in ADDRESS_SUBJECTS]
    return sa.and_(col(DroppedBall.raised_at) < raised_before, sa.or_(*names_one))


async def erase_balls(uow: UnitOfWork, condition: Any) -> None:
    """Resolve the dropped balls that meet this condition (SQL), and erase what they say."""
    addressed = col(DroppedBall.subject).contains("+") | col(DroppedBall.subject).contains("@")
    balls = sa.update(DroppedBall).where(condition)
    await execute(
        uow, balls.where(col(DroppedBall.resolved_at).is_(None)).values(resolved_at=uow.now)
    )
    await execute(uow, balls.values(replacements(DroppedBall)))
    await execute(
        uow,
        balls.where(addressed).values(subject=_named_by_id("erased:", col(DroppedBall.id))),
    )


def _named_by_id(prefix: str, id_column: Any) -> Any:
    return sa.literal(prefix).concat(sa.cast(id_column, sa.String))


async def execute(uow: UnitOfWork, statement: Any) -> None:
    """Run a statement in the transaction, past the rows that the session holds."""
    connection = await uow.session.connection()
    await connection.execute(statement)
