"""Writing the consent ledger: consent withdrawn and granted."""

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
    """The customer wants no messages: to this address, or about one request."""
    await write_consent(
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
    """The customer wants messages again: to this address, or about one request.

    For the address this also ends each stop of one request.
    """
    await write_consent(
        uow, channel, address,
        granted=True, source=source, evidence=evidence, request_id=request_id,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class ConsentChange:
    """Consent withdrawn (``stop``) or granted, for these channels.

    ``about`` "request" is the one request alone, "all" everything to the address. ``only_address``:
    no other address of the customer is changed.
    """

    stop: bool
    about: Literal["request", "all"]
    channels: Sequence[Channel]
    only_address: str | None = None


async def record_consent_change(
    uow: UnitOfWork,
    request: ServiceRequest,
    consent_change: ConsentChange,
    source: ConsentSource,
    evidence: str,
) -> None:
    """Write a line for each address that the customer has by these channels.

    Consent is granted only for addresses that are valid still. Raises BadInput where there is none, and Conflict for a request alone where everything to the
    address is stopped.
    """
    points = [
        point
        for point in request.customer.contact_points
        if point.channel in consent_change.channels
        and consent_change.only_address in (None, point.address)
        and (consent_change.stop or point.valid_until is None or point.valid_until > uow.now)
    ]
    if not points:
        raise BadInput(LazyString("We have no such address."), fields={"channel": "sms or email"})
    request_id = request.id if consent_change.about == "request" else None
    for point in points:
        starts_one_request = not consent_change.stop and request_id is not None
        if starts_one_request and await has_opted_out(uow, point.channel, point.address):
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
    """Record what the customer said to a member of staff; nothing is sent to the customer.

    Raises as ``record_consent_change`` does.
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
    """True when the newest line about this address is a stop."""
    whole, _ = await newest_consents(uow.session, channel, address, None)
    return whole is not None and not whole.granted


async def write_consent(
    uow: UnitOfWork,
    channel: Channel,
    address: str,
    *,
    granted: bool,
    source: ConsentSource,
    evidence: str,
    request_id: int | None = None,
) -> None:
    """Add a line to the ledger: about the address, or about one request."""
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
