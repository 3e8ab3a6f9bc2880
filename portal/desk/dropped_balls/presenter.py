"""Dropped balls as staff read them: the problem, its time, the person assigned, the remedy."""

from collections.abc import Mapping, Sequence

from sqlmodel.ext.asyncio.session import AsyncSession

from portal import business_time
from portal.desk.auth.current_staff import CurrentStaff
from portal.desk.dropped_balls.view_models import DroppedBallLine
from portal.desk.labels import since
from portal.messaging.wording.time_format import TimeFormatter
from portal.models import DroppedBall, DroppedBallKind, EscalationLevel, ServiceRequest
from portal.models.columns import saved_id
from portal.queries.desk.failed_messages import requests_by_id
from portal.queries.names import Names, load_names
from portal.rules.authorization import may_dismiss

KIND_LABELS = {
    DroppedBallKind.STAGE_OVERDUE: "Overdue",
    DroppedBallKind.HANDOFF_UNACCEPTED: "Not accepted",
    DroppedBallKind.PROMISE_DUE: "Commitment overdue",
    DroppedBallKind.MESSAGE_UNANSWERED: "Reply overdue",
    DroppedBallKind.MESSAGE_UNDELIVERED: "Message not delivered",
    DroppedBallKind.FOLLOW_UP_UNANSWERED: "No answer from the customer",
    DroppedBallKind.FIELD_MISSING: "A question lacks its value",
    DroppedBallKind.RETURNED_REPEATEDLY: "Returned repeatedly",
    DroppedBallKind.AGEING: "Open too long",
    DroppedBallKind.OWNER_ABSENT: "Owner away",
    DroppedBallKind.NO_OWNER: "No owner",
    DroppedBallKind.CUSTOMER_UNREACHABLE: "Customer cannot be reached",
    DroppedBallKind.THIRD_PARTY_SILENT: "Third party silent",
    DroppedBallKind.THIRD_PARTY_PROBLEM: "Third party reports a problem",
    DroppedBallKind.SENT_TWICE: "Possibly sent twice",
    DroppedBallKind.OUTCOME_UNKNOWN: "Possibly not sent",
    DroppedBallKind.UNKNOWN_SENDER: "Unknown sender",
    DroppedBallKind.SENDING_PAUSED: "Sending paused",
    DroppedBallKind.SENDING_LIMIT: "Sending limit reached",
    DroppedBallKind.FLOOD: "Message flood",
    DroppedBallKind.UNREADABLE: "Unreadable data",
    DroppedBallKind.URGENT: "Urgent message",
    DroppedBallKind.SAME_PERSON: "Same person?",
}
REMEDIES = {
    DroppedBallKind.STAGE_OVERDUE: "Complete the stage, or change the due date and notify the customer.",
    DroppedBallKind.HANDOFF_UNACCEPTED: "Accept it, or decline it with a reason.",
    DroppedBallKind.PROMISE_DUE: "Mark it done, or reschedule it with a reason.",
    DroppedBallKind.MESSAGE_UNANSWERED: "Reply to the customer.",
    DroppedBallKind.MESSAGE_UNDELIVERED: "Send it by another channel, or call and mark as informed.",
    DroppedBallKind.FOLLOW_UP_UNANSWERED: "Call the customer, and log the call.",
    DroppedBallKind.FIELD_MISSING: "Complete the stage with the value, or call the customer and complete it for them.",
    DroppedBallKind.RETURNED_REPEATEDLY: "Settle it with both departments.",
    DroppedBallKind.AGEING: "Find out what blocks it, and close it.",
    DroppedBallKind.OWNER_ABSENT: "Reassign it to somebody who is available.",
    DroppedBallKind.NO_OWNER: "Assign it to somebody.",
    DroppedBallKind.CUSTOMER_UNREACHABLE: "Call, or ask for another number or e-mail on their page.",
    DroppedBallKind.THIRD_PARTY_SILENT: "Ask them, and record their update.",
    DroppedBallKind.THIRD_PARTY_PROBLEM: "Settle it with them, record their update, and write to the customer.",
    DroppedBallKind.SENT_TWICE: "Check the message; inform the customer if needed.",
    DroppedBallKind.OUTCOME_UNKNOWN: "Check the message, and inform the customer by another channel.",
    DroppedBallKind.UNKNOWN_SENDER: "Reply, assign or dismiss it in the inbox.",
    DroppedBallKind.SENDING_PAUSED: "Fix the cause named; sending resumes by itself.",
    DroppedBallKind.SENDING_LIMIT: "Raise the limit, or find out why so many are sent.",
    DroppedBallKind.FLOOD: "Check whether there is a reason for it.",
    DroppedBallKind.UNREADABLE: "Ask your administrator to correct the data; call the customer meanwhile.",
    DroppedBallKind.URGENT: "Read the message, and call or write to the customer now.",
    DroppedBallKind.SAME_PERSON: "Ask the customer, or compare the requests. Then choose.",
}
RESOLUTION_PAGES = {
    DroppedBallKind.MESSAGE_UNDELIVERED: "/desk/messages",
    DroppedBallKind.SENT_TWICE: "/desk/messages",
    DroppedBallKind.OUTCOME_UNKNOWN: "/desk/messages",
    DroppedBallKind.UNKNOWN_SENDER: "/desk/inbox",
}
"""Kinds that are fixed on a page of their own."""

SELF_RESOLVING = frozenset({DroppedBallKind.SENDING_PAUSED, DroppedBallKind.SENDING_LIMIT})
LEVEL_LABELS = {
    EscalationLevel.OWNER: "",
    EscalationLevel.LEAD: "escalated to team lead",
    EscalationLevel.MANAGER: "escalated to manager",
}


async def present_dropped_balls(
    session: AsyncSession, balls: Sequence[DroppedBall], reader: CurrentStaff
) -> list[DroppedBallLine]:
    """These balls as this reader sees them, with a fixed number of queries."""
    requests = await requests_by_id(session, {ball.request_id for ball in balls})
    names = await load_names(session, {ball.assignee_id for ball in balls})
    return [_line(ball, requests, names, reader) for ball in balls]


def _line(
    ball: DroppedBall, requests: Mapping[int, ServiceRequest], names: Names, reader: CurrentStaff
) -> DroppedBallLine:
    request = requests.get(ball.request_id or 0)
    department = names.departments.get(ball.department_id or 0)
    times = TimeFormatter("en", department.timezone if department else "UTC", business_time.now())
    person = names.person(ball.assignee_id)
    url = f"/desk/requests/{request.reference}" if request else "/desk/inbox"
    return DroppedBallLine(
        id=saved_id(ball),
        label=KIND_LABELS[ball.kind],
        detail=ball.detail,
        remedy=REMEDIES[ball.kind],
        since=since(times, ball.dropped_at),
        assignee=person.name if person else "nobody",
        escalation=LEVEL_LABELS[ball.level],
        url=RESOLUTION_PAGES.get(ball.kind, url),
        customer=request.customer.name if request else "",
        title=request.title if request else "",
        reference=request.reference if request else "",
        department=department.name if department else "",
        may_dismiss=is_dismissible(ball)
        and may_dismiss(reader.colleague, request, ball.assignee_id),
        mine=ball.assignee_id == reader.staff.id,
        asks_same_person=ball.kind == DroppedBallKind.SAME_PERSON,
    )


def is_dismissible(ball: DroppedBall) -> bool:
    """False for what is fixed on a page of its own, or ends by itself."""
    return ball.kind not in RESOLUTION_PAGES and ball.kind not in SELF_RESOLVING
