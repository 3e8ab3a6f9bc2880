"""Writing the consent ledger: a wish to stop, and to begin again."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from portal.errors import BadInput, Conflict
from portal.i18n.lazy_string import LazyString
from portal.models import Channel, Consent, ConsentSource, EventKind, ServiceRequest
from portal.operations.authorization import authorize
from portal.operations.transitions import check_text
from portal.operations.unit_of_work import UnitOfWork
from portal.queries.consent import newest_consents
from portal.rules.authorization import Act

MAX_EVIDENCE_LENGTH = 400


async def withdraw_consent(
    uow: UnitOfWork,
    channel: Channel,
    address: str,
    source: ConsentSource,
    *,
    evidence: str,
    request_id: int | None = None,
) -> None:
    """They asked us to stop: for this address, or for one request."""
    await _write(
        uow, channel, address,
        granted=False, source=source, evidence=evidence, request_id=request_id,
    )  # fmt: skip


async def grant_consent(
    uow: UnitOfWork,
    channel: Channel,
    address: str,
    source: ConsentSource,
    *,
    evidence: str,
    request_id: int | None = None,
) -> None:
    """They asked us to write again.

    For the address this also lifts each stop for one request; for one request it lifts only that.
    """
    await _write(
        uow, channel, address,
        granted=True, source=source, evidence=evidence, request_id=request_id,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class ConsentChange:
    """To be left alone, or to be written to again: by which channels, about what.

    ``about`` "request" is the one request alone, "all" everything to the address.
    """

    stop: bool
    about: Literal["request", "all"]
    channels: Sequence[Channel]


async def record_consent_change(
    uow: UnitOfWork,
    request: ServiceRequest,
    consent_change: ConsentChange,
    source: ConsentSource,
    evidence: str,
) -> None:
    """Write a customer's wish down for every address that they have by these channels.

    Raises BadInput where there is none, and Conflict where they want to hear of this request
    again although they stopped everything.
    """
    points = [
        one for one in request.customer.contact_points if one.channel in consent_change.channels
    ]
    if not points:
        raise BadInput(LazyString("We have no such address."), fields={"channel": "sms or email"})
    request_id = request.id if consent_change.about == "request" else None
    for point in points:
        begins_one = not consent_change.stop and request_id is not None
        if begins_one and await has_opted_out(uow, point.channel, point.address):
            raise Conflict(
                LazyString(
                    "Everything to this address was stopped: begin again with all of it, or not."
                )
            )
        await (withdraw_consent if consent_change.stop else grant_consent)(
            uow, point.channel, point.address, source, evidence=evidence, request_id=request_id
        )


async def record_spoken_consent(
    uow: UnitOfWork,
    request: ServiceRequest,
    *,
    channel: Channel,
    stop: bool,
    about: Literal["request", "all"],
    note: str = "",
) -> None:
    """What the customer told a member of staff; the customer is told nothing.

    ``about`` "request" is this request alone, "all" everything to the address. Raises BadInput
    where they have no such address, and Conflict where they want to hear of this request again
    although they stopped everything.
    """
    await authorize(uow, request, Act.CONSENT)
    note = check_text("note", note, required=False)
    evidence = f"said to {uow.actor.name}" + (f": {note}" if note else "")
    consent_change = ConsentChange(stop, about, [channel])
    await record_consent_change(uow, request, consent_change, ConsentSource.STAFF, evidence)
    request.record(
        EventKind.PREFERENCES_CHANGED,
        uow.actor,
        uow.now,
        visible=False,
        bumps_version=False,
        channel=channel.value,
        stop=about if stop else None,
        start=None if stop else about,
        note=note,
    )
    await uow.finish(request)


async def has_opted_out(uow: UnitOfWork, channel: Channel, address: str) -> bool:
    """True when the newest word about this address is a stop."""
    whole, _ = await newest_consents(uow.session, channel, address, None)
    return whole is not None and not whole.granted


async def _write(
    uow: UnitOfWork,
    channel: Channel,
    address: str,
    *,
    granted: bool,
    source: ConsentSource,
    evidence: str,
    request_id: int | None,
) -> None:
    uow.session.add(
        Consent(
            channel=channel,
            address=address,
            granted=granted,
            request_id=request_id,
            source=source,
            evidence=evidence.replace("\x00", "")[:MAX_EVIDENCE_LENGTH],
            at=uow.now,
        )
    )
    await uow.session.flush()
