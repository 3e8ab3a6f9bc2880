"""The fake carrier's delivery in real time: status callbacks, inbound webhooks and waits."""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass
from secrets import token_hex
from typing import Any

from portal.demo.fake_providers.account import Account, delivery_steps
from portal.demo.fake_providers.channels import channel_of
from portal.demo.fake_providers.config import CarrierConfig
from portal.demo.fake_providers.errors import CarrierError
from portal.demo.fake_providers.faults import FaultKind
from portal.demo.fake_providers.sms import API_VERSION, Text
from portal.demo.fake_providers.waiting import ChangeSignal
from portal.demo.fake_providers.webhooks import (
    Outcome,
    Parameters,
    Webhooks,
    inbound_parameters,
    status_parameters,
)

MAX_MEDIA = 100

CONFIRMATIONS = {
    "STOP": "You will get no more texts from this number. Reply START to get them again.",
    "START": "You will get texts from this number again. Reply STOP to end them.",
    "HELP": "Reply STOP to get no more texts from this number.",
}


@dataclass(frozen=True, slots=True)
class Media:
    """A photo that a customer sends, and the type that the phone gives it."""

    data: bytes
    media_type: str


class Carrier(Account):
    """An account whose texts are delivered and whose webhooks are posted. One event loop only."""

    def __init__(self, config: CarrierConfig, changes: ChangeSignal | None = None) -> None:
        super().__init__(config)
        self.inbound_url = config.inbound_url
        self.changes = changes or ChangeSignal()
        self.requests: Counter[str] = Counter()
        self.closing = asyncio.Event()
        self._media: OrderedDict[str, Media] = OrderedDict()
        self._webhooks = Webhooks(config)
        self._tasks: set[asyncio.Task[Any]] = set()

    # out

    def accept_after(self, form: Mapping[str, str], media: tuple[str, ...], seconds: float) -> None:
        """Accept a text after so many seconds and deliver it; a refusal goes unnoticed then."""

        async def accept() -> None:
            await asyncio.sleep(seconds)
            with suppress(CarrierError):
                self.deliver(self.accept(form, media))

        self._spawn(accept())

    def deliver(self, text: Text) -> asyncio.Task[None]:
        """Begin the delivery; the task ends when the last callback has been answered."""
        return self._spawn(self._deliver(text))

    async def _deliver(self, text: Text) -> None:
        report: asyncio.Task[None] | None = None
        passed = 0.0
        config = self.config
        steps = delivery_steps(
            text.faults, config.sent_after, config.delivered_after,
            is_read=config.reads_messages and bool(channel_of(text.to)),
        )  # fmt: skip
        for step in steps:
            await asyncio.sleep(step.after - passed)
            passed = step.after
            if step.happens and step.status != text.status:
                self.move(text, step.status, step.error_code)
            if step.is_reported and text.status_callback:
                parameters = status_parameters(
                    config.account_sid, text, step.status, step.error_code
                )
                report = self._spawn(self._report(text, parameters, after=report))
        if report:
            await report

    async def _report(
        self, text: Text, parameters: Parameters, *, after: asyncio.Task[None] | None
    ) -> None:
        """Post a status callback, once the one before it has been answered."""
        if after:
            await after
        for fault in text.faults:
            if fault.do is FaultKind.CALLBACK_DELAY:
                await asyncio.sleep(fault.seconds or 0)
        outcome = await self._webhooks.post(text.status_callback or "", parameters)
        self._note(text, parameters["MessageStatus"], outcome)

    # in

    async def receive(
        self, from_: str, body: str, *, url: str | None = None, **more: Any
    ) -> tuple[Text, Outcome]:
        """A customer's text: keep it, announce it by webhook, do what the answer asks for.

        Returns the text and how the webhook was answered. A known `sid` is announced once more,
        as a carrier does that missed the first answer. `more` is as in `receive_from_phone`.
        """
        text, keyword = self.receive_from_phone(from_, body, **more)
        if keyword and self.config.confirms_stop:
            self.deliver(self.reply(text, CONFIRMATIONS[keyword]))
        outcome = await self._announce(text, url or self.inbound_url, keyword)
        self._note(text, "received", outcome)
        for words in outcome.messages:
            self.deliver(self.reply(text, words))
        return text, outcome

    async def _announce(self, text: Text, url: str | None, keyword: str | None) -> Outcome:
        if url is None:
            return Outcome("none", error="Not posted: no inbound URL is set.")
        parameters = inbound_parameters(self.config.account_sid, text, keyword)
        return await self._webhooks.post(url, parameters)

    # media

    def hold(self, data: bytes, media_type: str) -> str:
        """Keep what a customer's phone sends along; gives the path that serves it."""
        media_id = f"ME{token_hex(16)}"
        self._media[media_id] = Media(data, media_type)
        if len(self._media) > MAX_MEDIA:
            self._media.popitem(last=False)
        account = f"/{API_VERSION}/Accounts/{self.config.account_sid}"
        return f"{account}/Messages/MM{media_id[2:]}/Media/{media_id}"

    def media(self, media_id: str) -> "Media | None":
        """The photo of that id, unless it is unknown or forgotten."""
        return self._media.get(media_id)

    def forget(self) -> None:
        """Remove texts, photos, counts and opt-outs; fault rules stay."""
        super().forget()
        self._media.clear()
        self.requests.clear()
        self.changes.changed()

    async def close(self) -> None:
        """End every wait and delivery under way."""
        self.closing.set()
        self.changes.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._webhooks.close()

    def _changed(self) -> None:
        self.changes.changed()

    def _note(self, text: Text, status: str, outcome: Outcome) -> None:
        text.webhooks.append(
            {"status": status, "answer": outcome.status, "error": outcome.error or None}
        )
        self.changes.changed()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
