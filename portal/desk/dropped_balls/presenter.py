"""What has slipped, as staff read it: what, since when, before whom, and what puts it right."""

from collections.abc import Mapping, Sequence

from sqlmodel.ext.asyncio.session import AsyncSession

from portal import business_time
from portal.desk.auth.current_staff import CurrentStaff
from portal.desk.board.view_models import DroppedBallLine
from portal.desk.labels import since
from portal.messaging.wording.time_format import TimeFormatter
from portal.models import DroppedBall, DroppedBallKind, EscalationLevel, ServiceRequest
from portal.models.columns import saved_id
from portal.queries.desk.failed_messages import requests_by_id
from portal.queries.names import Names, load_names
from portal.rules.authorization import may_dismiss

KIND_LABELS = {
    DroppedBallKind.STAGE_OVERDUE: "Past its time",
    DroppedBallKind.HANDOFF_UNACCEPTED: "Not taken up",
    DroppedBallKind.PROMISE_DUE: "A promise not kept",
    DroppedBallKind.MESSAGE_UNANSWERED: "The customer waits for an answer",
    DroppedBallKind.MESSAGE_UNDELIVERED: "A message did not arrive",
    DroppedBallKind.FOLLOW_UP_UNANSWERED: "The customer does not answer",
    DroppedBallKind.RETURNED_REPEATEDLY: "Going back and forth",
    DroppedBallKind.AGEING: "Open far too long",
    DroppedBallKind.OWNER_ABSENT: "Its owner is away",
    DroppedBallKind.NO_OWNER: "Nobody has it",
    DroppedBallKind.THIRD_PARTY_SILENT: "A third party is silent",
    DroppedBallKind.SENT_TWICE: "Perhaps sent twice",
    DroppedBallKind.OUTCOME_UNKNOWN: "Perhaps not sent",
    DroppedBallKind.UNKNOWN_SENDER: "From a number nobody knows",
    DroppedBallKind.SENDING_PAUSED: "Sending rests",
    DroppedBallKind.SENDING_LIMIT: "A ceiling is reached",
    DroppedBallKind.FLOOD: "A flood of texts",
}
REMEDIES = {
    DroppedBallKind.STAGE_OVERDUE: "Finish the stage, or tell the customer a new date and why.",
    DroppedBallKind.HANDOFF_UNACCEPTED: "Take it up, or refuse it with a reason.",
    DroppedBallKind.PROMISE_DUE: "Do it and mark it kept, or move it with a reason.",
    DroppedBallKind.MESSAGE_UNANSWERED: "Answer the customer.",
    DroppedBallKind.MESSAGE_UNDELIVERED: "Send it another way, or tell them yourself.",
    DroppedBallKind.FOLLOW_UP_UNANSWERED: "Call the customer, and log the call.",
    DroppedBallKind.RETURNED_REPEATEDLY: "Speak with both departments; one of them must do its part.",
    DroppedBallKind.AGEING: "Find out what holds it, and bring it to an end.",
    DroppedBallKind.OWNER_ABSENT: "Give it to somebody who is here.",
    DroppedBallKind.NO_OWNER: "Give it to somebody.",
    DroppedBallKind.THIRD_PARTY_SILENT: "Ask them, and note what they say.",
    DroppedBallKind.SENT_TWICE: "Look at the message; perhaps a word to the customer.",
    DroppedBallKind.OUTCOME_UNKNOWN: "Look at the message, and tell the customer another way.",
    DroppedBallKind.UNKNOWN_SENDER: "See to it in the inbox.",
    DroppedBallKind.SENDING_PAUSED: "Set right what it names; it goes on by itself.",
    DroppedBallKind.SENDING_LIMIT: "Raise the ceiling, or find out why so many are sent.",
    DroppedBallKind.FLOOD: "Look whether there is a matter behind it.",
}
RESOLUTION_PAGES = {
    DroppedBallKind.MESSAGE_UNDELIVERED: "/desk/messages",
    DroppedBallKind.SENT_TWICE: "/desk/messages",
    DroppedBallKind.OUTCOME_UNKNOWN: "/desk/messages",
    DroppedBallKind.UNKNOWN_SENDER: "/desk/inbox",
}
"""Kinds that are put right in a room of their own."""

SELF_RESOLVING = frozenset({DroppedBallKind.SENDING_PAUSED, DroppedBallKind.SENDING_LIMIT})
LEVEL_LABELS = {
    EscalationLevel.OWNER: "",
    EscalationLevel.LEAD: "passed on to the lead",
    EscalationLevel.MANAGER: "passed on to a manager",
}


async def present_dropped_balls(
    session: AsyncSession, balls: Sequence[DroppedBall], reader: CurrentStaff
) -> list[DroppedBallLine]:
    """These balls as this reader may see to them: a fixed number of queries."""
    requests = await requests_by_id(session, {one.request_id for one in balls})
    names = await load_names(session, {one.assignee_id for one in balls})
    return [_line(one, requests, names, reader) for one in balls]


def _line(
    ball: DroppedBall, requests: Mapping[int, ServiceRequest], names: Names, reader: CurrentStaff
) -> DroppedBallLine:
    request = requests.get(ball.request_id or 0)
    department = names.departments.get(ball.department_id or 0)
    words = TimeFormatter("en", department.timezone if department else "UTC", business_time.now())
    person = names.person(ball.assignee_id)
    url = f"/desk/requests/{request.reference}" if request else "/desk/inbox"
    return DroppedBallLine(
        id=saved_id(ball),
        label=KIND_LABELS[ball.kind],
        detail=ball.detail,
        remedy=REMEDIES[ball.kind],
        since=since(words, ball.dropped_at),
        before=person.name if person else "nobody",
        escalation=LEVEL_LABELS[ball.level],
        url=RESOLUTION_PAGES.get(ball.kind, url),
        customer=request.customer.name if request else "",
        title=request.title if request else "",
        reference=request.reference if request else "",
        department=department.name if department else "",
        may_dismiss=is_dismissible(ball)
        and may_dismiss(reader.colleague, request, ball.assignee_id),
        mine=ball.assignee_id == reader.staff.id,
    )


def is_dismissible(ball: DroppedBall) -> bool:
    """False for what is seen to in a room of its own, or ends by itself."""
    return ball.kind not in RESOLUTION_PAGES and ball.kind not in SELF_RESOLVING
