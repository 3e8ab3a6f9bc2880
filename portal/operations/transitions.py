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
from portal.operations.authorization import authorize
from portal.operations.device_verification import forget_devices
from portal.operations.unit_of_work import UnitOfWork
from portal.rules.authorization import Act

MAX_REASON_LENGTH = 2_000


async def advance(
    uow: UnitOfWork,
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
    await authorize(uow, request, Act.ADVANCE, stage)
    handover = check_text("handover", handover, required=False)
    stage_flow = await uow.stage_flow(request)
    stage_flow.advance(stage, check_text("note", note, required=False), expected_by, handover)
    await uow.finish(request)


async def send_back(uow: UnitOfWork, request: ServiceRequest, *, stage: str, reason: str) -> None:
    """Run an earlier stage again, with the reason that its people and the customer read."""
    await authorize(uow, request, Act.SEND_BACK)
    reason = check_text("reason", reason)
    stage_flow = await uow.stage_flow(request)
    stage_flow.send_back(stage, reason)
    await uow.finish(request)


async def reopen(
    uow: UnitOfWork, request: ServiceRequest, *, reason: str, stage: str | None = None
) -> None:
    """Open a closed request again."""
    await authorize(uow, request, Act.REOPEN)
    reason = check_text("reason", reason)
    stage_flow = await uow.stage_flow(request)
    stage_flow.reopen(stage, reason)
    await uow.finish(request)


async def hold(
    uow: UnitOfWork,
    request: ServiceRequest,
    *,
    reason: str,
    until: datetime | None = None,
    stage: str | None = None,
) -> None:
    """Put it aside for a reason that the customer reads; clocks stand still until it resumes."""
    await authorize(uow, request, Act.HOLD, stage)
    request.hold(stage, check_text("reason", reason), until, uow.actor, uow.now)
    await uow.finish(request)


async def resume(uow: UnitOfWork, request: ServiceRequest, *, stage: str | None = None) -> None:
    """Go on with what was held."""
    await authorize(uow, request, Act.RESUME, stage)
    roster = await uow.roster(request)
    request.resume(stage, uow.actor, uow.now, roster.departments.values())
    await uow.finish(request)


async def cancel(uow: UnitOfWork, request: ServiceRequest, *, reason: str) -> None:
    """End it without the thing done; promises that stand are missed."""
    await authorize(uow, request, Act.CANCEL)
    reason = check_text("reason", reason)
    request.require_open()
    roster = await uow.roster(request)
    request.end(RequestStatus.CANCELLED, uow.actor, uow.now, reason, roster.department_by_id)
    await uow.finish(request)


async def assign(
    uow: UnitOfWork,
    request: ServiceRequest,
    *,
    owner: str,
    stage: str | None = None,
    note: str = "",
) -> None:
    """Name the person who has it, by e-mail address: anybody at the desk, of any department.

    ``note`` is for them; the customer never reads it.
    """
    await authorize(uow, request, Act.ASSIGN, stage)
    note = check_text("note", note, required=False)
    roster = await uow.roster(request)
    request.assign(stage, roster.by_email(owner), uow.actor, uow.now, note)
    await uow.finish(request)


async def replace_link(
    uow: UnitOfWork, request: ServiceRequest, *, known_device: int | None = None
) -> None:
    """Revoke the customer's link and send them a new one.

    Their browsers are known no more, but for the one (``known_device``) from which they ask. What
    they ask for themselves goes at any hour.
    """
    await authorize(uow, request, Act.LINK)
    await _revoke(uow, request, known_device)
    request.links.append(TrackingLink(created_at=uow.now))
    event = request.record(
        EventKind.LINK_REPLACED, uow.actor, uow.now, visible=False, bumps_version=False
    )
    await uow.finish(request)
    await uow.outbox.replace_link_in_queue(request)
    renderer = await uow.renderer(request)
    await uow.outbox.tell(
        request, MessageKind.LINK, f"event:{event.id}", renderer.say("new_link"), event_id=event.id,
        urgent=known_device is not None or await uow.is_customer_waiting(request),
    )  # fmt: skip


async def revoke_link(uow: UnitOfWork, request: ServiceRequest) -> None:
    """The customer's link opens nothing any more, and their browsers are known no more."""
    await authorize(uow, request, Act.LINK)
    await _revoke(uow, request)
    request.record(EventKind.LINK_REPLACED, uow.actor, uow.now, visible=False, bumps_version=False)
    await uow.finish(request)


async def _revoke(
    uow: UnitOfWork, request: ServiceRequest, known_device: int | None = None
) -> None:
    for link in request.links:
        link.revoked_at = link.revoked_at or uow.now
    await forget_devices(uow, request.customer_id, keep_id=known_device)


async def acting_staff(uow: UnitOfWork, request: ServiceRequest) -> StaffMember | None:
    """The member of staff whose hand this is; None when a system acts."""
    if uow.actor.staff_id is None:
        return None
    return (await uow.roster(request)).person(uow.actor.staff_id)


def check_text(field: str, words: str, *, required: bool = True) -> str:
    """Words that a person wrote, trimmed. Raises BadInput where they miss or are too many."""
    words = words.replace("\x00", "").strip()
    if required and not words:
        raise BadInput(f"Please give a {field}.", fields={field: "some words"})
    if len(words) > MAX_REASON_LENGTH:
        raise BadInput(
            f"Please keep the {field} under {MAX_REASON_LENGTH} letters.", fields={field: "shorter"}
        )
    return words
