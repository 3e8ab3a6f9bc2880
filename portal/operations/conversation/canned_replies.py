"""Replies kept at hand: written, changed and put away; their fields are checked when they are saved."""

import re

from portal.errors import BadInput, NotFound
from portal.messaging.sms.gsm_text import to_gsm7
from portal.models import CannedReply, ContactReason
from portal.operations.conversation.staff_messages import check_message_body
from portal.operations.open_request import one_line
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
"""What may stand in braces; ``MessageRenderer.fields`` has a request's facts for each."""
MAX_TITLE_LENGTH = 80
PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


async def add_canned_reply(
    uow: UnitOfWork, *, title: str, body: str, department_id: int | None, reason: str = ""
) -> CannedReply:
    """Keep a reply at hand in a department, or with None everywhere.

    Raises BadInput for a field in braces that there is none of, and says which there are.
    """
    reply = CannedReply(department_id=department_id, written_by=uow.actor.name, created_at=uow.now)
    _put(reply, title, body, reason)
    uow.session.add(reply)
    await uow.session.flush()
    return reply


async def update_canned_reply(
    uow: UnitOfWork, reply: CannedReply, *, title: str, body: str, reason: str = ""
) -> None:
    """Other words from now on. Raises BadInput as ``add_canned_reply`` does."""
    _put(reply, title, body, reason)
    reply.written_by = uow.actor.name


async def retire_canned_reply(uow: UnitOfWork, reply: CannedReply) -> None:
    """It is offered no more."""
    reply.archived_at = reply.archived_at or uow.now


async def lock_canned_reply(uow: UnitOfWork, reply_id: int) -> CannedReply:
    """A reply at hand, held until the turn ends. Raises NotFound, also for one that is retired."""
    found = await uow.session.get(CannedReply, reply_id, with_for_update=True)
    if found is None or found.archived_at is not None:
        raise NotFound("There is no such reply any more.")
    return found


def _put(reply: CannedReply, title: str, body: str, reason: str) -> None:
    title = one_line(title)
    if not 0 < len(title) <= MAX_TITLE_LENGTH:
        wanted = f"Please give it a name of at most {MAX_TITLE_LENGTH} letters."
        raise BadInput(wanted, fields={"title": wanted})
    if reason and reason not in list(ContactReason):
        raise BadInput("Please choose what it answers from the list.")
    # Plain quotes and dashes: curly ones would make every text dearer.
    reply.title, reply.body, reply.reason = (
        title,
        _checked(to_gsm7(check_message_body(body))),
        reason,
    )


def _checked(body: str) -> str:
    unknown = [one for one in PLACEHOLDER.findall(body) if one not in PLACEHOLDERS]
    if unknown:
        known = ", ".join(f"{{{one}}}" for one in PLACEHOLDERS)
        wrong = " and ".join(f"{{{one}}}" for one in dict.fromkeys(unknown))
        told = f"There is no field {wrong}. You can use {known}."
        raise BadInput(told, fields={"body": told})
    return body
