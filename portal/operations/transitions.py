"""Operations on the state of a request: advance, send back, hold, assign, and its link and note."""

from collections.abc import Mapping
from datetime import datetime

from portal.errors import BadInput
from portal.messaging.one_line import one_line
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
from portal.operations.outbox import Draft
from portal.operations.self_service.share_links import end_share_links
from portal.operations.unit_of_work import UnitOfWork
from portal.rules import authorization
from portal.rules.authorization import Act
from portal.rules.stages import stage_pauses
from portal.rules.stages.stage_flow import StageFlow
from portal.rules.stages.stage_pauses import StagePauses
from portal.rules.stages.stage_returns import StageReturns

MAX_REASON_LENGTH = 2_000
MAX_NOTE_LENGTH = 300


async def advance(
    uow: UnitOfWork,
    request: ServiceRequest,
    *,
    stage: str | None = None,
    note: str = "",
    expected_by: datetime | None = None,
    handover: str = "",
    fields: Mapping[str, str] | None = None,
) -> None:
    """Complete the named open stage; what waited for it opens, and the customer is notified.

    ``handover`` is for whoever accepts the next stage; the customer never reads it. ``fields`` are
    the values of the fields of the questions that this puts, such as the amount of a quote.
    Callers have checked the length of ``note`` and ``handover``. Raises BadInput and Conflict.
    """
    facts = await uow.facts(request)
    authorization.authorize(facts.colleague, request, stage, Act.ADVANCE)
    StageFlow(facts, fields or {}).advance(stage, note, expected_by, handover)
    await uow.finish(request)


async def send_back(
    uow: UnitOfWork,
    request: ServiceRequest,
    *,
    stage: str,
    reason: str,
    fields: Mapping[str, str] | None = None,
) -> None:
    """Run an earlier stage again, with the reason that its people and the customer read.

    ``fields`` as in ``advance``, where the stage puts a question.
    """
    await authorize(uow, request, Act.SEND_BACK)
    reason = check_text("reason", reason)
    StageReturns(StageFlow(await uow.facts(request), fields or {})).send_back(stage, reason)
    await uow.finish(request)


async def reopen(
    uow: UnitOfWork,
    request: ServiceRequest,
    *,
    reason: str,
    stage: str | None = None,
    fields: Mapping[str, str] | None = None,
) -> None:
    """Open a closed request again; ``fields`` as in ``send_back``."""
    await authorize(uow, request, Act.REOPEN)
    reason = check_text("reason", reason)
    StageReturns(StageFlow(await uow.facts(request), fields or {})).reopen(stage, reason)
    await uow.finish(request)


async def hold(
    uow: UnitOfWork,
    request: ServiceRequest,
    *,
    reason: str,
    until: datetime | None = None,
    stage: str | None = None,
) -> None:
    """Stop the clock, for a reason that the customer reads, until ``resume`` or ``until``."""
    await authorize(uow, request, Act.HOLD, stage)
    StagePauses(await uow.facts(request)).hold(stage, check_text("reason", reason), until)
    await uow.finish(request)


async def resume(uow: UnitOfWork, request: ServiceRequest, *, stage: str | None = None) -> None:
    """Start the clock of what is on hold again."""
    await authorize(uow, request, Act.RESUME, stage)
    StagePauses(await uow.facts(request)).resume(stage)
    await uow.finish(request)


async def cancel(uow: UnitOfWork, request: ServiceRequest, *, reason: str) -> None:
    """Close the request before it is done; its open promises are missed."""
    await authorize(uow, request, Act.CANCEL)
    reason = check_text("reason", reason)
    request.require_open()
    StageFlow(await uow.facts(request)).end(RequestStatus.CANCELLED, reason)
    await uow.finish(request)


async def assign(
    uow: UnitOfWork,
    request: ServiceRequest,
    *,
    owner: str,
    stage: str | None = None,
    note: str = "",
) -> None:
    """Assign an owner by e-mail address: any member of staff, of any department.

    ``note`` is for the owner; the customer never reads it.
    """
    await authorize(uow, request, Act.ASSIGN, stage)
    note = check_text("note", note, required=False)
    facts = await uow.facts(request)
    stage_pauses.assign(facts, stage, facts.roster.by_email(owner), note)
    await uow.finish(request)


async def set_customer_note(uow: UnitOfWork, request: ServiceRequest, text: str) -> None:
    """Set what staff should know of the customer, as one line; an empty text clears it.

    The customer never reads it. Raises BadInput for more than MAX_NOTE_LENGTH letters.
    """
    await authorize(uow, request, Act.SET_NOTE)
    note = one_line(text)
    if len(note) > MAX_NOTE_LENGTH:
        raise BadInput(
            f"Please keep it to one line of {MAX_NOTE_LENGTH} letters.", fields={"text": "shorter"}
        )
    if note == request.customer_note:
        return
    request.customer_note = note
    request.record(
        EventKind.CUSTOMER_NOTE_CHANGED, uow.actor, uow.now, visible=False, bumps_version=False,
        note=note,
    )  # fmt: skip
    await uow.finish(request)


async def replace_link(
    uow: UnitOfWork, request: ServiceRequest, *, known_device: int | None = None
) -> None:
    """Revoke the customer's link and send them a new one.

    Every verified device is forgotten but ``known_device``, from which they ask. A link that the
    customer asks for is sent at any hour.
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
    await uow.outbox.queue(request, Draft(MessageKind.LINK, f"event:{event.id}", renderer.say("new_link"), event_id=event.id, urgent=known_device is not None or await uow.is_customer_waiting(request)))  # fmt: skip


async def revoke_link(uow: UnitOfWork, request: ServiceRequest) -> None:
    """Revoke the customer's link and forget every verified device."""
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
    await end_share_links(uow, request)


async def acting_staff(uow: UnitOfWork, request: ServiceRequest) -> StaffMember | None:
    """The member of staff who acts; None where a customer or a system does."""
    return (await uow.facts(request)).person


def check_text(field: str, text: str, *, required: bool = True) -> str:
    """Text that a person wrote, trimmed. Raises BadInput where it is missing or too long."""
    text = text.replace("\x00", "").strip()
    if required and not text:
        raise BadInput(f"Please give a {field}.", fields={field: "some words"})
    if len(text) > MAX_REASON_LENGTH:
        raise BadInput(
            f"Please keep the {field} under {MAX_REASON_LENGTH} letters.", fields={field: "shorter"}
        )
    return text
