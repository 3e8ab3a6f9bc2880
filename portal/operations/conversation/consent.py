"""Writing the consent ledger: a wish to stop, and to begin again."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from portal.errors import BadInput, Conflict
from portal.i18n.lazy_string import Sentence
from portal.models import Channel, Consent, ConsentSource, EventKind, ServiceRequest
from portal.operations.transitions import check_words
from portal.operations.unit_of_work import Turn
from portal.queries.consent import newest_consents

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


@dataclass(frozen=True, slots=True)
class Choice:
    """To be left alone, or to be written to again: by which channels, about what.

    ``about`` "request" is the one request alone, "all" everything to the address.
    """

    stop: bool
    about: Literal["request", "all"]
    channels: Sequence[Channel]


async def record_wish(
    turn: Turn, request: ServiceRequest, choice: Choice, source: ConsentSource, evidence: str
) -> None:
    """Write a customer's wish down for every address that they have by these channels.

    Raises BadInput where there is none, and Conflict where they want to hear of this request
    again although they stopped everything.
    """
    points = [one for one in request.customer.contact_points if one.channel in choice.channels]
    if not points:
        raise BadInput(Sentence("We have no such address."), fields={"channel": "sms or email"})
    request_id = request.id if choice.about == "request" else None
    for point in points:
        begins_one = not choice.stop and request_id is not None
        if begins_one and await is_stopped(turn, point.channel, point.address):
            raise Conflict(
                Sentence(
                    "Everything to this address was stopped: begin again with all of it, or not."
                )
            )
        await (withdraw if choice.stop else grant)(
            turn, point.channel, point.address, source, evidence=evidence, request_id=request_id
        )


async def record_spoken_wish(
    turn: Turn,
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
    note = check_words("note", note, needed=False)
    evidence = f"said to {turn.actor.name}" + (f": {note}" if note else "")
    choice = Choice(stop, about, [channel])
    await record_wish(turn, request, choice, ConsentSource.STAFF, evidence)
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
