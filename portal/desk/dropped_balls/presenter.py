"""What has slipped, as staff read it: what, since when, before whom, and what puts it right."""

from collections.abc import Mapping, Sequence

from sqlmodel.ext.asyncio.session import AsyncSession

from portal import business_time
from portal.desk.auth.current_staff import Reader
from portal.desk.board.view_models import BallLine
from portal.desk.labels import since
from portal.messaging.wording.time_format import Words
from portal.models import BallKind, DroppedBall, Level, ServiceRequest
from portal.queries.desk.failed_messages import requests_by_id
from portal.queries.names import Names, load_names

CALLED = {
    BallKind.STAGE_OVERDUE: "Past its time",
    BallKind.HANDOFF_UNACCEPTED: "Not taken up",
    BallKind.PROMISE_DUE: "A promise not kept",
    BallKind.MESSAGE_UNANSWERED: "The customer waits for an answer",
    BallKind.MESSAGE_UNDELIVERED: "A message did not arrive",
    BallKind.FOLLOW_UP_UNANSWERED: "The customer does not answer",
    BallKind.BOUNCING: "Going back and forth",
    BallKind.AGEING: "Open far too long",
    BallKind.OWNER_ABSENT: "Its owner is away",
    BallKind.NO_OWNER: "Nobody has it",
    BallKind.THIRD_PARTY_SILENT: "A third party is silent",
    BallKind.SENT_TWICE: "Perhaps sent twice",
    BallKind.OUTCOME_UNKNOWN: "Perhaps not sent",
    BallKind.UNKNOWN_SENDER: "From a number nobody knows",
    BallKind.SENDING_PAUSED: "Sending rests",
    BallKind.CEILING: "A ceiling is reached",
    BallKind.FLOOD: "A flood of texts",
}
REMEDIES = {
    BallKind.STAGE_OVERDUE: "Finish the stage, or tell the customer a new date and why.",
    BallKind.HANDOFF_UNACCEPTED: "Take it up, or refuse it with a reason.",
    BallKind.PROMISE_DUE: "Do it and mark it kept, or move it with a reason.",
    BallKind.MESSAGE_UNANSWERED: "Answer the customer.",
    BallKind.MESSAGE_UNDELIVERED: "Send it another way, or tell them yourself.",
    BallKind.FOLLOW_UP_UNANSWERED: "Call the customer, and log the call.",
    BallKind.BOUNCING: "Speak with both departments; one of them must do its part.",
    BallKind.AGEING: "Find out what holds it, and bring it to an end.",
    BallKind.OWNER_ABSENT: "Give it to somebody who is here.",
    BallKind.NO_OWNER: "Give it to somebody.",
    BallKind.THIRD_PARTY_SILENT: "Ask them, and note what they say.",
    BallKind.SENT_TWICE: "Look at the message; perhaps a word to the customer.",
    BallKind.OUTCOME_UNKNOWN: "Look at the message, and tell the customer another way.",
    BallKind.UNKNOWN_SENDER: "See to it in the inbox.",
    BallKind.SENDING_PAUSED: "Set right what it names; it goes on by itself.",
    BallKind.CEILING: "Raise the ceiling, or find out why so many are sent.",
    BallKind.FLOOD: "Look whether there is a matter behind it.",
}
ELSEWHERE = {
    BallKind.MESSAGE_UNDELIVERED: "/desk/messages",
    BallKind.SENT_TWICE: "/desk/messages",
    BallKind.OUTCOME_UNKNOWN: "/desk/messages",
    BallKind.UNKNOWN_SENDER: "/desk/inbox",
}
"""Kinds that are put right in a room of their own."""

BY_ITSELF = frozenset({BallKind.SENDING_PAUSED, BallKind.CEILING})
LEVELS = {
    Level.OWNER: "",
    Level.LEAD: "passed on to the lead",
    Level.MANAGER: "passed on to a manager",
}


async def draw_balls(
    session: AsyncSession, balls: Sequence[DroppedBall], reader: Reader
) -> list[BallLine]:
    """These balls as this reader may see to them: a fixed number of queries."""
    requests = await requests_by_id(session, {one.request_id for one in balls})
    names = await load_names(session, {one.before for one in balls})
    return [_line(one, requests, names, reader) for one in balls]


def _line(
    ball: DroppedBall, requests: Mapping[int, ServiceRequest], names: Names, reader: Reader
) -> BallLine:
    request = requests.get(ball.request_id or 0)
    department = names.departments.get(ball.department_id or 0)
    words = Words("en", department.timezone if department else "UTC", business_time.now())
    person = names.person(ball.before)
    url = f"/desk/requests/{request.reference}" if request else "/desk/inbox"
    theirs = reader.may_act(request) if request else reader.staff.oversees
    return BallLine(
        id=ball.id or 0,
        called=CALLED[ball.kind],
        detail=ball.detail,
        remedy=REMEDIES[ball.kind],
        since=since(words, ball.slipped_at),
        before=person.name if person else "nobody",
        passed_on=LEVELS[ball.level],
        url=ELSEWHERE.get(ball.kind, url),
        customer=request.customer.name if request else "",
        title=request.title if request else "",
        reference=request.reference if request else "",
        department=department.name if department else "",
        aside=may_set_aside(ball) and (theirs or ball.before == reader.staff.id),
        mine=ball.before == reader.staff.id,
    )


def may_set_aside(ball: DroppedBall) -> bool:
    """False for what is seen to in a room of its own, or ends by itself."""
    return ball.kind not in ELSEWHERE and ball.kind not in BY_ITSELF
