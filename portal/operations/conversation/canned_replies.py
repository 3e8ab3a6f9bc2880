"""Canned replies: added, changed and retired; their placeholders are checked when they are saved."""

import re

from portal.errors import BadInput, NotFound
from portal.messaging.one_line import one_line
from portal.messaging.sms.gsm_text import to_gsm7
from portal.models import CannedReply, ContactReason
from portal.operations.conversation.staff_messages import check_message_body
from portal.operations.unit_of_work import UnitOfWork

PLACEHOLDERS = (
    "first_name",
    "reference",
    "title",
    "department",
    "next",
    "next_by",
    "owner",
    "link",
)
"""What a reply may have in braces; ``MessageRenderer.fields`` gives the value of each."""
MAX_TITLE_LENGTH = 80
PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


async def add_canned_reply(
    uow: UnitOfWork, *, title: str, body: str, department_id: int | None, reason: str = ""
) -> CannedReply:
    """Add a reply for a department, or with None for all.

    Raises BadInput for an unknown placeholder, and names the known ones.
    """
    reply = CannedReply(department_id=department_id, written_by=uow.actor.name, created_at=uow.now)
    _set_fields(reply, title, body, reason)
    uow.session.add(reply)
    await uow.session.flush()
    return reply


async def update_canned_reply(
    uow: UnitOfWork, reply: CannedReply, *, title: str, body: str, reason: str = ""
) -> None:
    """Change the reply. Raises BadInput as ``add_canned_reply`` does."""
    _set_fields(reply, title, body, reason)
    reply.written_by = uow.actor.name


async def retire_canned_reply(uow: UnitOfWork, reply: CannedReply) -> None:
    """Stop offering the reply."""
    reply.archived_at = reply.archived_at or uow.now


async def lock_canned_reply(uow: UnitOfWork, reply_id: int) -> CannedReply:
    """The reply, locked until the transaction ends. Raises NotFound, also for a retired one."""
    found = await uow.session.get(CannedReply, reply_id, with_for_update=True)
    if found is None or found.archived_at is not None:
        raise NotFound("There is no such reply any more.")
    return found


def _set_fields(reply: CannedReply, title: str, body: str, reason: str) -> None:
    title = one_line(title)
    if not 0 < len(title) <= MAX_TITLE_LENGTH:
        problem = f"Please give it a name of at most {MAX_TITLE_LENGTH} letters."
        raise BadInput(problem, fields={"title": problem})
    if reason and reason not in list(ContactReason):
        raise BadInput("Please choose what it answers from the list.")
    # Plain quotes and dashes: with curly ones every text costs more.
    reply.title, reply.body, reply.reason = (
        title,
        _check_placeholders(to_gsm7(check_message_body(body))),
        reason,
    )


def _check_placeholders(body: str) -> str:
    unknown = [name for name in PLACEHOLDER.findall(body) if name not in PLACEHOLDERS]
    if unknown:
        known = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
        wrong = " and ".join(f"{{{name}}}" for name in dict.fromkeys(unknown))
        problem = f"There is no field {wrong}. You can use {known}."
        raise BadInput(problem, fields={"body": problem})
    return body
