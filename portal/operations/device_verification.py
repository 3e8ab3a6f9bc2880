"""Knowing a customer's browser: a code to the address on file, and what it opens."""

import sqlalchemy as sa
from sqlmodel import col, select

from portal.errors import TooOften
from portal.i18n.lazy_string import Sentence
from portal.messaging.verification_codes import HIDDEN
from portal.models import (
    REMEMBERED,
    AccessCode,
    Channel,
    KnownDevice,
    ServiceRequest,
    are_enough,
    hash_secret,
    new_secret,
)
from portal.models.people.verification_code import LASTS
from portal.operations.unit_of_work import Turn
from portal.queries.trusted_devices import Way, codes_of_a_day, newest_code

ENOUGH = Sentence(
    "We have sent you several codes already. Please use the newest one, or try again in an hour."
)


async def send_code(turn: Turn, request: ServiceRequest, way: Way) -> None:
    """Owe the customer a new code; the one before is good no more. The request is held.

    Pressed twice, one goes. Raises TooOften after so many that somebody seems to guess.
    """
    newest = await newest_code(turn.session, request.id or 0)
    if newest is not None and newest.was_just_made(turn.now) and newest.address == way.address:
        return
    if are_enough(await codes_of_a_day(turn.session, request.customer_id, turn.now), turn.now):
        raise TooOften(ENOUGH)
    code = AccessCode(
        request_id=request.id or 0,
        customer_id=request.customer_id,
        channel=way.channel,
        address=way.address,
        made_at=turn.now,
        expires_at=turn.now + LASTS,
    )
    turn.session.add(code)
    teller = await turn.teller(request)
    by_text = way.channel == Channel.SMS
    host = turn.settings.public_host
    await turn.outbox.send_code(
        request, way.channel, way.address, code.cause,
        teller.say("code" if by_text else "code_mail", None, code=HIDDEN, host=host),
        subject=teller.say("code_subject"), until=code.expires_at,
    )  # fmt: skip
    await turn.session.flush()


async def take_code(
    turn: Turn, request: ServiceRequest, typed: str, secret: str | None
) -> str | None:
    """The secret that this browser keeps from now on, or None for what is not the newest code.

    A wrong one is counted, and so is written: this raises nothing. ``secret`` is what the browser
    kept until now; whom it is known to already stays known under the new one, which nobody could
    have put there before.
    """
    code = await newest_code(turn.session, request.id or 0)
    code = code or AccessCode(expires_at=turn.now)  # The same work where there is none.
    keys = [key.get_secret_value() for key in turn.settings.secret_keys]
    good = code.take(typed, keys, turn.now)
    await turn.session.flush()
    if not good:
        return None
    fresh = new_secret()
    if secret is not None:
        await _carry_over(turn, secret, fresh, but=request.customer_id)
    turn.session.add(
        KnownDevice(
            customer_id=request.customer_id,
            secret_hash=hash_secret(fresh),
            channel=code.channel,
            address=code.address,
            made_at=turn.now,
            expires_at=turn.now + REMEMBERED,
        )
    )
    await turn.session.flush()
    return fresh


async def forget_device(turn: Turn, secret: str) -> None:
    """Nobody is known on this browser any more: it stood in a library, perhaps."""
    query = select(KnownDevice).where(col(KnownDevice.secret_hash) == hash_secret(secret))
    for device in (await turn.session.exec(query)).all():
        await turn.session.delete(device)
    await turn.session.flush()


async def forget_devices(turn: Turn, customer_id: int, *, but: int | None = None) -> None:
    """No browser is known as this customer's any more, nor any code good; ``but`` one browser."""
    devices = select(KnownDevice).where(col(KnownDevice.customer_id) == customer_id)
    for device in (await turn.session.exec(devices)).all():
        if device.id != but:
            await turn.session.delete(device)
    connection = await turn.session.connection()
    await connection.execute(
        sa.update(AccessCode)
        .where(col(AccessCode.customer_id) == customer_id, col(AccessCode.used_at).is_(None))
        .values(used_at=turn.now)
    )
    await turn.session.flush()


async def _carry_over(turn: Turn, secret: str, fresh: str, *, but: int) -> None:
    query = select(KnownDevice).where(col(KnownDevice.secret_hash) == hash_secret(secret))
    for device in (await turn.session.exec(query)).all():
        if device.customer_id == but:
            await turn.session.delete(device)
        else:
            device.secret_hash = hash_secret(fresh)
    await turn.session.flush()
