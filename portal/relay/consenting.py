"""Writing the consent ledger: a wish to stop, and to begin again."""

from typing import Literal

from portal.errors import BadInput, Conflict
from portal.models import Channel, Consent, ConsentSource, EventKind, ServiceRequest
from portal.queries.consents import newest_consents
from portal.relay.moving import check_words
from portal.relay.turn import Turn

LONGEST_EVIDENCE = 400


async def withdraw(
    turn: Turn,
    channel: Channel,
    address: str,
    source: ConsentSource,
    *,
    evidence: str,
    request_id: int | None = None,
) -> None:
    """They asked us to stop: for this address, or for one request."""
    await _write(
        turn, channel, address,
        granted=False, source=source, evidence=evidence, request_id=request_id,
    )  # fmt: skip


async def grant(
    turn: Turn,
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
        turn, channel, address,
        granted=True, source=source, evidence=evidence, request_id=request_id,
    )  # fmt: skip


async def record_spoken_wish(
    turn: Turn,
    request: ServiceRequest,
    *,
    channel: Channel,
    stop: bool,
    about: Literal["request", "all"],
    note: str = "",
) -> None:
    """What the customer told a member of staff: stop writing, or write again, by one channel.

    ``about`` "request" is this request alone, "all" everything to the address. It counts for
    every address that the customer has by that channel, and the customer is told nothing.
    Raises BadInput where there is none, and Conflict where they want to hear of this request
    again although they stopped everything.
    """
    points = [point for point in request.customer.contact_points if point.channel == channel]
    if not points:
        raise BadInput("We have no such address of theirs.", fields={"channel": "sms or email"})
    note = check_words("note", note, needed=False)
    evidence = f"said to {turn.actor.name}" + (f": {note}" if note else "")
    change = withdraw if stop else grant
    request_id = request.id if about == "request" else None
    for point in points:
        if not stop and request_id is not None and await is_stopped(turn, channel, point.address):
            raise Conflict(
                "They stopped everything to this address: begin again with all of it, or not."
            )
        await change(
            turn, channel, point.address, ConsentSource.STAFF, evidence=evidence,
            request_id=request_id,
        )  # fmt: skip
    request.record(
        EventKind.PREFERENCES_CHANGED,
        turn.actor,
        turn.now,
        visible=False,
        moves=False,
        channel=channel.value,
        stop=about if stop else None,
        start=None if stop else about,
        note=note,
    )
    await turn.settle(request)


async def is_stopped(turn: Turn, channel: Channel, address: str) -> bool:
    """True when the newest word about this address is a stop."""
    whole, _ = await newest_consents(turn.session, channel, address, None)
    return whole is not None and not whole.granted


async def _write(
    turn: Turn,
    channel: Channel,
    address: str,
    *,
    granted: bool,
    source: ConsentSource,
    evidence: str,
    request_id: int | None,
) -> None:
    turn.session.add(
        Consent(
            channel=channel,
            address=address,
            granted=granted,
            request_id=request_id,
            source=source,
            evidence=evidence.replace("\x00", "")[:LONGEST_EVIDENCE],
            at=turn.now,
        )
    )
    await turn.session.flush()
