"""The replies that the sample departments keep at hand: each one text, with real names filled in."""

from dataclasses import dataclass

from sqlmodel import col, select

from portal.models import CannedReply, ContactReason, Department
from portal.operations import UnitOfWork
from portal.operations.conversation.canned_replies import add_canned_reply


@dataclass(frozen=True)
class SampleReply:
    """A reply and what it suits, with none anything; of one department, or with none of everybody."""

    title: str
    body: str
    reason: ContactReason | None = None
    department: str = ""


SAMPLE_REPLIES = (
    SampleReply(
        "Where it is now",
        "Hi {first_name}, {department} has {reference} now. Next: {next}, by {next_by}. {link}",
        ContactReason.WHERE_IS_IT,
    ),
    SampleReply(
        "I look into it",
        "Hi {first_name}, {owner} here. I am looking into this and write to you again today.",
    ),
    SampleReply(
        "Sorry, and what now",
        "Hi {first_name}, I am sorry about this. {owner} sees to it now. Next: {next}, {next_by}.",
        ContactReason.COMPLAINT,
    ),
    SampleReply(
        "Change noted",
        "Thank you, {first_name}. The change is noted for {reference}. Nothing more is needed.",
        ContactReason.CHANGE,
    ),
    SampleReply(
        "Which change?",
        "Hi {first_name}, what should be changed about {reference}, and to what? {owner}",
        ContactReason.CHANGE,
    ),
    SampleReply(
        "Please say more",
        "Hi {first_name}, could you say a little more? Then {department} can answer you. {owner}",
        ContactReason.QUESTION,
    ),
    SampleReply(
        "PIN comes apart",
        "Hi {first_name}, your PIN comes in a letter of its own, some days after the card.",
        ContactReason.QUESTION,
        "processing",
    ),
    SampleReply(
        "Anything else?",
        "You are welcome, {first_name}. Write here whenever something is unclear. {owner}",
        ContactReason.OTHER,
    ),
)


async def add_sample_replies(uow: UnitOfWork) -> None:
    """Put those at hand that are not there yet."""
    known = set((await uow.session.exec(select(CannedReply.title))).all())
    query = select(Department).where(
        col(Department.key).in_({one.department for one in SAMPLE_REPLIES})
    )
    departments = {one.key: one.id for one in (await uow.session.exec(query)).all()}
    for starter in SAMPLE_REPLIES:
        if starter.title not in known:
            await add_canned_reply(
                uow, title=starter.title, body=starter.body, reason=starter.reason or "",
                department_id=departments.get(starter.department),
            )  # fmt: skip
