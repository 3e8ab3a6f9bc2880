"""Writing the consent ledger: a wish to stop, and to begin again."""

from portal.models import Channel, Consent
from portal.queries.consents import newest_consents
from portal.relay.turn import Turn


async def withdraw(
    turn: Turn,
    channel: Channel,
    address: str,
    source: str,
    *,
    evidence: str = "",
    request_id: int | None = None,
) -> None:
    """They asked us to stop: for this address, or for one request."""
    turn.session.add(
        Consent(
            channel=channel,
            address=address,
            granted=False,
            request_id=request_id,
            source=source,
            evidence=evidence[:400],
            at=turn.now,
        )
    )
    await turn.session.flush()


async def grant(
    turn: Turn, channel: Channel, address: str, source: str, *, evidence: str = ""
) -> None:
    """They asked us to write again."""
    turn.session.add(
        Consent(
            channel=channel, address=address, source=source, evidence=evidence[:400], at=turn.now
        )
    )
    await turn.session.flush()


async def is_stopped(turn: Turn, channel: Channel, address: str) -> bool:
    """True when the newest word about this address is a stop."""
    whole, _ = await newest_consents(turn.session, channel, address, None)
    return whole is not None and not whole.granted
