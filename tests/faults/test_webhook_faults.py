"""Webhooks and clicks under faults: applied once, in order, and acknowledged only when stored."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlencode

import httpx2
import pytest
from sqlalchemy.engine import make_url
from sqlmodel import col, select
from twilio.request_validator import RequestValidator

from portal.demo.fake_providers import FakeProviders
from portal.models import Consent, Message, MessageStatus, ServiceRequest
from tests.faults.message_outcomes import (
    SENT_STATUSES,
    STARTS_WITHIN,
    open_request_for,
    wait_for_status,
)
from tests.support.database.postgres import PostgresServer
from tests.support.factories import Organisation
from tests.support.running_stack import RESPONSE_TIMEOUT_SECONDS, TOKEN, RunningStack

pytestmark = pytest.mark.worker


async def recorded(organisation: Organisation, sid: str) -> list[Message]:
    """What we have of this text."""
    return [message for message in await organisation.messages() if message.provider_sid == sid]


async def test_stop_after_queueing_suppresses_the_text(
    organisation: Organisation, carrier: FakeProviders, phone: str
) -> None:
    """It waits behind a 429 when the customer writes STOP: at the next claim it is suppressed."""
    carrier.fault("status_429", to=phone)
    request = await open_request_for(organisation, phone)
    await wait_for_status(organisation, request, MessageStatus.QUEUED, within=STARTS_WITHIN)
    _, answer = await carrier.receive(phone, "STOP")
    assert answer.status == 200
    carrier.faults.clear()
    message = await wait_for_status(organisation, request, MessageStatus.SUPPRESSED)
    assert message.reason
    query = select(Consent).where(col(Consent.address) == phone).order_by(col(Consent.id).desc())
    async with organisation.database.reading() as session:
        newest = (await session.exec(query.limit(1))).one()
    assert (newest.granted, newest.source) == (False, "text")
    await carrier.wait_for(lambda: carrier.texts_to(phone), STARTS_WITHIN)
    (confirmation,) = carrier.texts_to(phone)
    assert confirmation.body != message.body


async def test_repeated_webhook_records_and_answers_once(
    organisation: Organisation, carrier: FakeProviders, phone: str
) -> None:
    """The carrier repeats itself, five at the same moment: each call is answered, one is heard."""
    request = await open_request_for(organisation, phone)
    sid = f"SM{int(phone):032x}"
    first, _ = await carrier.receive(phone, "Can it go to my office?", sid=sid)
    repeats = [carrier.receive(phone, first.body, sid=sid) for _ in range(5)]
    answers = [(await repeat)[1].status for repeat in repeats]
    assert answers == [200] * 5
    assert len(await recorded(organisation, sid)) == 1
    await wait_for_status(organisation, request, *SENT_STATUSES, place=1)
    assert len(await organisation.outbound_messages(request)) == 2


@pytest.mark.parametrize("attack", ["unsigned", "forged", "signed for another host"])
async def test_webhook_with_invalid_signature_changes_nothing(
    attack: str, organisation: Organisation, shared_stack: RunningStack, phone: str
) -> None:
    """403 at a real web process, whatever the Host header says."""
    form = {"MessageSid": f"SM{attack}{phone}", "From": phone, "To": "+15005550006", "Body": "STOP"}
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Host": "evil.example"}
    path = "/hooks/twilio/inbound"
    if attack != "unsigned":
        signer = RequestValidator(TOKEN if attack != "forged" else "another token")
        origin = "http://evil.example" if "host" in attack else shared_stack.origin
        headers["X-Twilio-Signature"] = signer.compute_signature(origin + path, form)
    async with httpx2.AsyncClient(base_url=shared_stack.origin) as stranger:
        answer = await stranger.post(path, content=urlencode(form), headers=headers)
    assert answer.status_code == 403
    assert await recorded(organisation, form["MessageSid"]) == []


async def test_concurrent_advance_moves_once_and_sends_once(
    organisation: Organisation, api: httpx2.AsyncClient, carrier: FakeProviders, phone: str
) -> None:
    """Of five calls at once one is done; the others are told that they were late."""
    request = await open_request_for(organisation, phone)
    await wait_for_status(organisation, request, *SENT_STATUSES)
    path, order = f"/requests/{request.reference}/hold", {"reason": "A paper is missing."}
    order["version"] = (await api.get(f"/requests/{request.reference}")).json()["version"]
    answers = await asyncio.gather(*(api.post(path, json=order) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 4
    await wait_for_status(organisation, request, *SENT_STATUSES, place=1)
    assert len(await organisation.outbound_messages(request)) == 2
    assert len(carrier.texts_to(phone)) == 2


@contextmanager
def away(server: PostgresServer, name: str) -> Iterator[None]:
    """The database lets nobody in, and has thrown out all who were."""
    server.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
    server.execute(
        f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{name}'"  # noqa: S608
    )
    try:
        yield
    finally:
        server.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
async def test_webhook_is_5xx_while_database_is_down(
    own_stack: RunningStack, own_stack_organisation: Organisation, own_stack_request: ServiceRequest, phone: str,
    postgres: PostgresServer,
) -> None:  # fmt: skip
    """5xx for a text and for a receipt, and `/readyz` names it; told again later, it is taken."""
    carrier, sid = own_stack.carrier, f"SM{int(phone):032x}"
    (message,) = await own_stack_organisation.outbound_messages(own_stack_request)
    callback = f"/hooks/twilio/status?m={message.id}"
    form = {"MessageSid": "SMlate", "MessageStatus": "delivered"}
    signature = RequestValidator(TOKEN).compute_signature(own_stack.origin + callback, form)
    headers = {"X-Twilio-Signature": signature}
    async with httpx2.AsyncClient(
        base_url=own_stack.origin, timeout=RESPONSE_TIMEOUT_SECONDS
    ) as twilio:
        assert (await twilio.get("/healthz")).status_code == 200
        with away(postgres, make_url(own_stack.settings.database_url).database or ""):
            _, answer = await carrier.receive(phone, "Hello?", sid=sid)
            assert answer.status == 503
            assert (await twilio.post(callback, data=form, headers=headers)).status_code == 503
            ready = await twilio.get("/readyz")
            assert (ready.status_code, ready.json()["database"]) == (503, "cannot be reached")
        _, answer = await carrier.receive(phone, "Hello?", sid=sid)
        assert answer.status == 200
        assert (await twilio.post(callback, data=form, headers=headers)).status_code == 204
    assert len(await recorded(own_stack_organisation, sid)) == 1
    (message, *_) = await own_stack_organisation.outbound_messages(own_stack_request)
    assert message.status == MessageStatus.DELIVERED


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
async def test_customer_sees_the_outage_page_while_the_database_is_down(
    own_stack: RunningStack, own_stack_organisation: Organisation, own_stack_request: ServiceRequest,
    postgres: PostgresServer,
) -> None:  # fmt: skip
    """Also where the page had been drawn and kept: nobody reads what may be true no more."""
    link = f"/r/{own_stack_request.live_link.token}"
    async with httpx2.AsyncClient(
        base_url=own_stack.origin, timeout=RESPONSE_TIMEOUT_SECONDS
    ) as phone:
        assert (await phone.get(link)).status_code == 200
        with away(postgres, make_url(own_stack.settings.database_url).database or ""):
            answer = await phone.get(link)
            assert answer.status_code == 503
            assert answer.headers["Refresh"] == "15"
            assert "We cannot show your request at this moment" in answer.text
            assert (await phone.get(f"{link}/preferences")).status_code == 503
        assert (await phone.get(link)).status_code == 200
