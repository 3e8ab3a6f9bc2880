"""What has slipped: reading it, and setting it aside."""

from collections.abc import Sequence

from sqlmodel.ext.asyncio.session import AsyncSession

from portal import operations
from portal.api.endpoint import Look
from portal.api.schemas.inputs import BallQuery, Dismiss, write_cursor
from portal.api.schemas.records import BallAnswer, BallList
from portal.models import DroppedBall
from portal.operations import Turn
from portal.queries.api_lists import Window, list_dropped_balls, references
from portal.queries.names import load_names


async def show_dropped_balls(look: Look, query: BallQuery) -> BallList:
    """What has slipped, newest first."""
    window = Window(query.limit, query.cursor)
    balls, after = await list_dropped_balls(look.session, is_open=query.open, window=window)
    return BallList(items=await _answers(look.session, balls), next_cursor=write_cursor(after))


async def dismiss(turn: Turn, body: Dismiss, ball_id: int) -> BallAnswer:
    """Set it aside, with the reason; it comes back only if it slips anew."""
    ball = await operations.dismiss_ball(turn, ball_id, body.reason)
    return (await _answers(turn.session, [ball]))[0]


async def _answers(session: AsyncSession, balls: Sequence[DroppedBall]) -> list[BallAnswer]:
    people = {one for ball in balls for one in (ball.owner_id, ball.escalated_to_id)}
    names = await load_names(session, people)
    named = await references(session, {ball.request_id for ball in balls})
    return [BallAnswer.of(ball, named.get(ball.request_id or 0), names) for ball in balls]
