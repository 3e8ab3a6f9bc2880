"""Webhooks, verified and recorded, compared with an empty response to the same POST."""

import contextlib
from typing import Any
from urllib.parse import parse_qsl, urlencode

import sqlalchemy as sa
from sqlmodel import col
from twilio.request_validator import RequestValidator

from portal.business_time import now
from portal.demo.fake_providers import SIMULATED_SID, CarrierConfig
from portal.demo.fake_providers.account import Account
from portal.demo.fake_providers.sms import Text
from portal.demo.fake_providers.webhooks import inbound_parameters, status_parameters
from portal.models import Channel, Direction, Message
from portal.settings import Settings
from tests.bench.load import post, report
from tests.bench.runner import TOKEN, databases, server, settings_for, with_organisation
from tests.bench.seed import seed_requests
from tests.support.factories import Organisation
from tests.support.fake_gateways import SENDER

KIND = "application/x-www-form-urlencoded"
RECEIPTS = 40_000


def run(options: Any) -> None:
    """Print answers a second and their ratio to hello."""
    with databases(options) as urls, contextlib.ExitStack() as stack:
        form = receipt(1, "SM1", "")[1]
        hello = stack.enter_context(server("hello"))
        parts: Any = {("Starlette hello, POST", ""): (hello, [post("/", form, KIND)])}
        for name, url in urls.items():
            settings = settings_for(url)
            sent = with_organisation(settings, some_texts_sent)
            ours = stack.enter_context(server("kept", settings))
            parts["receipt", name] = (
                ours,
                iter([call(settings, *receipt(*message)) for message in sent]),
            )
            texts = [call(settings, *text(number)) for number in range(3_000)]
            parts["inbound text", name] = ours, iter(texts)
        report("Webhooks", parts, options)


async def some_texts_sent(organisation: Organisation) -> list[tuple[int, str, str]]:
    """Texts that the carrier has, each waiting for its receipt: id, sid, number."""
    await seed_requests(organisation, RECEIPTS // 4)
    texts = sa.and_(col(Message.channel) == Channel.SMS, col(Message.direction) == Direction.OUT)
    sid = sa.literal("SM").concat(sa.cast(Message.id, sa.Text))
    sent = sa.update(Message).where(texts).values(status="sent", provider_sid=sid)
    found = sa.select(Message.id, Message.provider_sid, Message.to_address).where(texts)
    async with organisation.database.engine.begin() as connection:
        await connection.execute(sent)
        return [tuple(row) for row in await connection.execute(found)]


def receipt(message_id: int, sid: str, to: str) -> tuple[str, bytes]:
    """The path and the form by which Twilio says that a text was delivered."""
    text = Text(
        sid=sid, from_=SENDER, to=to, body="", direction="outbound-api", status="sent",
        created_at=now(),
    )  # fmt: skip
    form = status_parameters(SIMULATED_SID, text, "delivered")
    return f"/hooks/twilio/status?m={message_id}", urlencode(form).encode()


def text(number: int) -> tuple[str, bytes]:
    """The path and the form by which Twilio hands over a text: a thank-you from a customer."""
    account = Account(CarrierConfig(from_number=SENDER))
    phone = f"+1{2_000_000_002 + number % 900 * 10}"
    received, _ = account.receive_from_phone(phone, "Thank you", sid=f"SM{number:032x}")
    form = inbound_parameters(SIMULATED_SID, received, None)
    return "/hooks/twilio/inbound", urlencode(form).encode()


def call(settings: Settings, path: str, form: bytes) -> bytes:
    """The signed call."""
    told = dict(parse_qsl(form.decode(), keep_blank_values=True))
    signed = RequestValidator(TOKEN).compute_signature(settings.public_url + path, told)
    return post(path, form, KIND, f"X-Twilio-Signature: {signed}")
