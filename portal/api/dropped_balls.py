"""Dropped balls: lists and dismisses them."""

from collections.abc import Sequence

from sqlmodel.ext.asyncio.session import AsyncSession

from portal import operations
from portal.api.endpoint import ReadContext
from portal.api.schemas.fields import encode_cursor
from portal.api.schemas.inputs import Dismiss
from portal.api.schemas.queries import DroppedBallQuery
from portal.api.schemas.records import DroppedBallList, DroppedBallResponse
from portal.models import DroppedBall
from portal.operations import UnitOfWork
from portal.queries.api_lists import list_dropped_balls, references_by_id
from portal.queries.names import load_names
from portal.queries.paging import PageRequest


async def show_dropped_balls(context: ReadContext, query: DroppedBallQuery) -> DroppedBallList:
    """Dropped balls, newest first."""
    page = PageRequest(query.limit, query.cursor)
    balls, after = await list_dropped_balls(context.session, is_open=query.open, page=page)
    return DroppedBallList(
        items=await _responses(context.session, balls), next_cursor=encode_cursor(after)
    )


async def dismiss(uow: UnitOfWork, body: Dismiss, ball_id: int) -> DroppedBallResponse:
    """Dismiss a dropped ball, with the reason; only a new drop raises it again."""
    ball = await operations.dismiss_dropped_ball(uow, ball_id, body.reason)
    return (await _responses(uow.session, [ball]))[0]


async def _responses(
    session: AsyncSession, balls: Sequence[DroppedBall]
) -> list[DroppedBallResponse]:
    people = {person_id for ball in balls for person_id in (ball.owner_id, ball.escalated_to_id)}
    names = await load_names(session, people)
    named = await references_by_id(session, {ball.request_id for ball in balls})
    return [DroppedBallResponse.of(ball, named.get(ball.request_id or 0), names) for ball in balls]
