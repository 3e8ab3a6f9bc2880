"""Moving a request: the verbs of the desk and the API, each one turn."""

from datetime import datetime

from portal.errors import BadInput
from portal.models import (
    EventKind,
    MessageKind,
    RequestStatus,
    ServiceRequest,
    StaffMember,
    TrackingLink,
)
from portal.operations.device_verification import forget_devices
from portal.operations.unit_of_work import Turn

LONGEST_REASON = 2_000


async def advance(
    turn: Turn,
    request: ServiceRequest,
    *,
    stage: str | None = None,
    note: str = "",
    expected_by: datetime | None = None,
    handover: str = "",
) -> None:
    """Complete the named open stage; what waited for it opens, and the customer hears of it.

    ``handover`` is for whoever takes it up; the customer never reads it.
    """
    handover = check_words("handover", handover, needed=False)
    progress = await turn.progress(request)
    progress.advance(stage, check_words("note", note, needed=False), expected_by, handover)
    await turn.settle(request)


async def send_back(turn: Turn, request: ServiceRequest, *, stage: str, reason: str) -> None:
    """Run an earlier stage again, with the reason that its people and the customer read."""
    reason = check_words("reason", reason)
    progress = await turn.progress(request)
    progress.send_back(stage, reason)
    await turn.settle(request)


async def reopen(
    turn: Turn, request: ServiceRequest, *, reason: str, stage: str | None = None
) -> None:
    """Open a closed request again."""
    reason = check_words("reason", reason)
    progress = await turn.progress(request)
    progress.reopen(stage, reason)
    await turn.settle(request)


async def hold(
    turn: Turn,
    request: ServiceRequest,
    *,
    reason: str,
    until: datetime | None = None,
    stage: str | None = None,
) -> None:
    """Put it aside for a reason that the customer reads; clocks stand still until it resumes."""
    request.hold(stage, check_words("reason", reason), until, turn.actor, turn.now)
    await turn.settle(request)


async def resume(turn: Turn, request: ServiceRequest, *, stage: str | None = None) -> None:
    """Go on with what was held."""
    roster = await turn.roster(request)
    request.resume(stage, turn.actor, turn.now, roster.departments.values())
    await turn.settle(request)


async def cancel(turn: Turn, request: ServiceRequest, *, reason: str) -> None:
    """End it without the thing done; promises that stand are missed."""
    reason = check_words("reason", reason)
    request.must_be_open()
    roster = await turn.roster(request)
    request.end(RequestStatus.CANCELLED, turn.actor, turn.now, reason, roster.department_by_id)
    await turn.settle(request)


async def assign(
    turn: Turn, request: ServiceRequest, *, owner: str, stage: str | None = None, note: str = ""
) -> None:
    """Name the person who has it, by e-mail address: anybody at the desk, of any department.

    ``note`` is for them; the customer never reads it.
    """
    note = check_words("note", note, needed=False)
    roster = await turn.roster(request)
    request.assign(stage, roster.by_email(owner), turn.actor, turn.now, note)
    await turn.settle(request)


async def replace_link(
    turn: Turn, request: ServiceRequest, *, known_device: int | None = None
) -> None:
    """Revoke the customer's link and send them a new one.

    Their browsers are known no more, but for the one (``known_device``) from which they ask. What
    they ask for themselves goes at any hour.
    """
    await _revoke(turn, request, known_device)
    request.links.append(TrackingLink(created_at=turn.now))
    event = request.record(
        EventKind.LINK_REPLACED, turn.actor, turn.now, visible=False, moves=False
    )
    await turn.settle(request)
    await turn.outbox.renew_link(request)
    teller = await turn.teller(request)
    await turn.outbox.tell(
        request, MessageKind.LINK, f"event:{event.id}", teller.say("new_link"), event_id=event.id,
        urgent=known_device is not None or await turn.is_awaited(request),
    )  # fmt: skip


async def revoke_link(turn: Turn, request: ServiceRequest) -> None:
    """The customer's link opens nothing any more, and their browsers are known no more."""
    await _revoke(turn, request)
    request.record(EventKind.LINK_REPLACED, turn.actor, turn.now, visible=False, moves=False)
    await turn.settle(request)


async def _revoke(turn: Turn, request: ServiceRequest, known_device: int | None = None) -> None:
    for link in request.links:
        link.revoked_at = link.revoked_at or turn.now
    await forget_devices(turn, request.customer_id, but=known_device)


async def acting(turn: Turn, request: ServiceRequest) -> StaffMember | None:
    """The member of staff whose hand this is; None when a system acts."""
    if turn.actor.staff_id is None:
        return None
    return (await turn.roster(request)).person(turn.actor.staff_id)


def check_words(field: str, words: str, *, needed: bool = True) -> str:
    """Words that a person wrote, trimmed. Raises BadInput where they miss or are too many."""
    words = words.replace("\x00", "").strip()
    if needed and not words:
        raise BadInput(f"Please give a {field}.", fields={field: "some words"})
    if len(words) > LONGEST_REASON:
        raise BadInput(
            f"Please keep the {field} under {LONGEST_REASON} letters.", fields={field: "shorter"}
        )
    return words
