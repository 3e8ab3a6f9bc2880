"""Knowing a customer's browser: a code to the address on file, and what it opens."""

import sqlalchemy as sa
from sqlmodel import col, select

from portal.errors import RateLimited
from portal.i18n.lazy_string import LazyString
from portal.messaging.code_masking import MASKED_CODE
from portal.models import (
    TRUST_DURATION,
    Channel,
    PushSubscription,
    ServiceRequest,
    TrustedDevice,
    VerificationCode,
    hash_device_secret,
    is_code_limit_reached,
    new_device_secret,
)
from portal.models.columns import saved_id
from portal.models.people.verification_code import CODE_LIFETIME
from portal.operations.unit_of_work import UnitOfWork
from portal.queries.trusted_devices import CodeDestination, newest_code, recent_code_times

TOO_MANY_CODES = LazyString(
    "We have sent you several codes already. Please use the newest one, or try again in an hour."
)
CODE_RETRY_SECONDS = 3_600


async def send_code(
    uow: UnitOfWork,
    request: ServiceRequest,
    destination: CodeDestination,
    *,
    is_new_address: bool = False,
    is_sent: bool = True,
) -> None:
    """Queue a new code for the customer; the previous one becomes invalid. The request is locked.

    ``is_new_address``: the code proves an address that is not the customer's yet, and nothing else.
    Without ``is_sent`` the code is made and counted, and nobody gets it.

    A second call within RESEND_INTERVAL sends nothing. Raises RateLimited after too many codes.
    """
    newest = await newest_code(uow.session, saved_id(request), is_new_address=is_new_address)
    if (
        newest is not None
        and newest.was_just_sent(uow.now)
        and newest.address == destination.address
    ):
        return
    if is_code_limit_reached(
        await recent_code_times(uow.session, request.customer_id, uow.now), uow.now
    ):
        raise RateLimited(TOO_MANY_CODES, retry_after=CODE_RETRY_SECONDS)
    code = VerificationCode(
        request_id=saved_id(request),
        customer_id=request.customer_id,
        channel=destination.channel,
        address=destination.address,
        is_new_address=is_new_address,
        created_at=uow.now,
        expires_at=uow.now + CODE_LIFETIME,
    )
    uow.session.add(code)
    if not is_sent:
        await uow.session.flush()
        return
    renderer = await uow.renderer(request)
    is_sms = destination.channel == Channel.SMS
    host = uow.settings.public_host
    await uow.outbox.send_code(
        request, destination.channel, destination.address, code.cause,
        renderer.say("code" if is_sms else "code_mail", None, code=MASKED_CODE, host=host),
        subject=renderer.say("code_subject"), until=code.expires_at,
    )  # fmt: skip
    await uow.session.flush()


async def verify_code(
    uow: UnitOfWork, request: ServiceRequest, digits: str, secret: str | None
) -> str | None:
    """The new secret of this browser, or None where the digits are not those of the newest code.

    A wrong one is counted, and so is written: this raises nothing. ``secret`` is what the browser
    kept until now; whom it is known to already stays known under the new one, which nobody could
    have put there before.
    """
    code = await use_code(uow, request, digits)
    return await trust_device(uow, request, code, secret) if code else None


async def use_code(
    uow: UnitOfWork, request: ServiceRequest, digits: str, *, is_new_address: bool = False
) -> VerificationCode | None:
    """The newest code, used now, or None where these are not its digits; each try is counted."""
    code = await newest_code(uow.session, saved_id(request), is_new_address=is_new_address)
    code = code or VerificationCode(expires_at=uow.now)  # The same work where there is none.
    keys = [key.get_secret_value() for key in uow.settings.secret_keys]
    is_valid = code.verify(digits, keys, uow.now)
    await uow.session.flush()
    return code if is_valid else None


async def trust_device(
    uow: UnitOfWork, request: ServiceRequest, code: VerificationCode, secret: str | None
) -> str:
    """The new secret of the browser on which this code was entered; ``secret`` is its old one."""
    new_secret = new_device_secret()
    if secret is not None:
        await _move_to_new_secret(uow, secret, new_secret, keep_id=request.customer_id)
    uow.session.add(
        TrustedDevice(
            customer_id=request.customer_id,
            secret_hash=hash_device_secret(new_secret),
            channel=code.channel,
            address=code.address,
            created_at=uow.now,
            expires_at=uow.now + TRUST_DURATION,
        )
    )
    await uow.session.flush()
    return new_secret


async def forget_device(uow: UnitOfWork, secret: str) -> None:
    """End the trust of this browser, for example of one in a library."""
    query = select(TrustedDevice).where(
        col(TrustedDevice.secret_hash) == hash_device_secret(secret)
    )
    for device in (await uow.session.exec(query)).all():
        await uow.session.delete(device)
    await uow.session.flush()


async def forget_devices(uow: UnitOfWork, customer_id: int, *, keep_id: int | None = None) -> None:
    """End the trust of all browsers of this customer, except ``keep_id``, and void open codes."""
    devices = select(TrustedDevice).where(col(TrustedDevice.customer_id) == customer_id)
    for device in (await uow.session.exec(devices)).all():
        if device.id != keep_id:
            await uow.session.delete(device)
    # Which browser of these gets notifications is not known, so the texts come back.
    notified = sa.delete(PushSubscription).where(col(PushSubscription.customer_id) == customer_id)
    await (await uow.session.connection()).execute(notified)
    connection = await uow.session.connection()
    await connection.execute(
        sa.update(VerificationCode)
        .where(
            col(VerificationCode.customer_id) == customer_id,
            col(VerificationCode.used_at).is_(None),
        )
        .values(used_at=uow.now)
    )
    await uow.session.flush()


async def _move_to_new_secret(
    uow: UnitOfWork, secret: str, new_secret: str, *, keep_id: int
) -> None:
    query = select(TrustedDevice).where(
        col(TrustedDevice.secret_hash) == hash_device_secret(secret)
    )
    for device in (await uow.session.exec(query)).all():
        if device.customer_id == keep_id:
            await uow.session.delete(device)
        else:
            device.secret_hash = hash_device_secret(new_secret)
    await uow.session.flush()
