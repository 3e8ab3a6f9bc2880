"""The canned replies of the sample departments: each fits one text, with real names filled in."""

from dataclasses import dataclass

from sqlmodel import col, select

from portal.models import CannedReply, ContactReason, Department
from portal.operations import UnitOfWork
from portal.operations.conversation.canned_replies import add_canned_reply


@dataclass(frozen=True)
class StarterReply:
    """A reply. Without a reason it suits every message, without a department every colleague."""

    title: str
    body: str
    reason: ContactReason | None = None
    department: str = ""


SAMPLE_REPLIES = (
    StarterReply(
        "Where it is now",
        "Hi {first_name}, {department} has {reference} now. Next: {next}, by {next_by}. {link}",
        ContactReason.WHERE_IS_IT,
    ),
    StarterReply(
        "I look into it",
        "Hi {first_name}, {owner} here. I am looking into this and write to you again today.",
    ),
    StarterReply(
        "Sorry, and what now",
        "Hi {first_name}, I am sorry about this. {owner} sees to it now. Next: {next}, {next_by}.",
        ContactReason.COMPLAINT,
    ),
    StarterReply(
        "Change noted",
        "Thank you, {first_name}. The change is noted for {reference}. Nothing more is needed.",
        ContactReason.CHANGE,
    ),
    StarterReply(
        "Which change?",
        "Hi {first_name}, what should be changed about {reference}, and to what? {owner}",
        ContactReason.CHANGE,
    ),
    StarterReply(
        "Please say more",
        "Hi {first_name}, could you say a little more? Then {department} can answer you. {owner}",
        ContactReason.QUESTION,
    ),
    StarterReply(
        "PIN comes apart",
        "Hi {first_name}, your PIN comes in a letter of its own, some days after the card.",
        ContactReason.QUESTION,
        "processing",
    ),
    StarterReply(
        "Anything else?",
        "You are welcome, {first_name}. Write here whenever something is unclear. {owner}",
        ContactReason.OTHER,
    ),
)


async def add_sample_replies(uow: UnitOfWork) -> None:
    """Add those that are not there yet."""
    known = set((await uow.session.exec(select(CannedReply.title))).all())
    query = select(Department).where(
        col(Department.key).in_({starter.department for starter in SAMPLE_REPLIES})
    )
    departments = {found.key: found.id for found in (await uow.session.exec(query)).all()}
    for starter in SAMPLE_REPLIES:
        if starter.title not in known:
            await add_canned_reply(
                uow, title=starter.title, body=starter.body, reason=starter.reason or "",
                department_id=departments.get(starter.department),
            )  # fmt: skip
