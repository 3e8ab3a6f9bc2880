"""Replies kept at hand: written, changed and put away; their fields are checked when they are saved."""

import re

from portal.errors import BadInput, NotFound
from portal.messaging.sms.gsm_text import cheapen
from portal.models import CannedReply, ContactReason
from portal.operations.conversation.staff_messages import check_letter
from portal.operations.open_request import one_line
from portal.operations.unit_of_work import Turn

FIELDS = ("first_name", "reference", "title", "department", "next", "next_by", "owner", "link")
"""What may stand in braces; ``Teller.fields`` has a request's facts for each."""
LONGEST_TITLE = 80
IN_BRACES = re.compile(r"\{([^{}]*)\}")


async def add_reply(
    turn: Turn, *, title: str, body: str, department_id: int | None, reason: str = ""
) -> CannedReply:
    """Keep a reply at hand in a department, or with None everywhere.

    Raises BadInput for a field in braces that there is none of, and says which there are.
    """
    reply = CannedReply(
        department_id=department_id, written_by=turn.actor.name, created_at=turn.now
    )
    _put(reply, title, body, reason)
    turn.session.add(reply)
    await turn.session.flush()
    return reply


async def change_reply(
    turn: Turn, reply: CannedReply, *, title: str, body: str, reason: str = ""
) -> None:
    """Other words from now on. Raises BadInput as ``add_reply`` does."""
    _put(reply, title, body, reason)
    reply.written_by = turn.actor.name


async def retire_reply(turn: Turn, reply: CannedReply) -> None:
    """It is offered no more."""
    reply.retired_at = reply.retired_at or turn.now


async def lock_reply(turn: Turn, reply_id: int) -> CannedReply:
    """A reply at hand, held until the turn ends. Raises NotFound, also for one that is retired."""
    found = await turn.session.get(CannedReply, reply_id, with_for_update=True)
    if found is None or found.retired_at is not None:
        raise NotFound("There is no such reply any more.")
    return found


def _put(reply: CannedReply, title: str, body: str, reason: str) -> None:
    title = one_line(title)
    if not 0 < len(title) <= LONGEST_TITLE:
        wanted = f"Please give it a name of at most {LONGEST_TITLE} letters."
        raise BadInput(wanted, fields={"title": wanted})
    if reason and reason not in list(ContactReason):
        raise BadInput("Please choose what it answers from the list.")
    # Plain quotes and dashes: curly ones would make every text dearer.
    reply.title, reply.body, reply.reason = title, _checked(cheapen(check_letter(body))), reason


def _checked(body: str) -> str:
    unknown = [one for one in IN_BRACES.findall(body) if one not in FIELDS]
    if unknown:
        known = ", ".join(f"{{{one}}}" for one in FIELDS)
        wrong = " and ".join(f"{{{one}}}" for one in dict.fromkeys(unknown))
        told = f"There is no field {wrong}. You can use {known}."
        raise BadInput(told, fields={"body": told})
    return body
