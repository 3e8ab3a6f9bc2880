"""The carrier: takes texts, brings them about, and brings in what customers write."""

import asyncio
import re
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from secrets import token_hex
from typing import Any

from portal.demo.fake_providers.config import CarrierConfig, is_web_url
from portal.demo.fake_providers.errors import CarrierError
from portal.demo.fake_providers.faults import DELIVERY_FAULTS, Fault, FaultKind, FaultRules
from portal.demo.fake_providers.sms import API_VERSION, Text
from portal.demo.fake_providers.waiting import ChangeSignal, Subscription, Subscriptions
from portal.demo.fake_providers.webhooks import (
    Outcome,
    Parameters,
    Webhooks,
    inbound_parameters,
    status_parameters,
)

E164 = re.compile(r"\+[1-9]\d{6,14}")
MAX_BODY_CHARS = 1_600
MAX_VALIDITY_SECONDS = 36_000
MAX_MEDIA = 100
NO_FAULT = Fault(do=FaultKind.CALLBACK_DELAY, seconds=0)

# Source: https://help.twilio.com/articles/223134027 (default keywords)
STOP = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"})
START = frozenset({"START", "YES", "UNSTOP"})
HELP = frozenset({"HELP", "INFO"})
CONFIRMATIONS = {
    "STOP": "You will get no more texts from this number. Reply START to get them again.",
    "START": "You will get texts from this number again. Reply STOP to end them.",
    "HELP": "Reply STOP to get no more texts from this number.",
}


@dataclass(frozen=True, slots=True)
class Media:
    """A photo on its way to us, and what its sender's phone says it is."""

    data: bytes
    media_type: str


class Carrier:
    """All that one simulated account has sent and received. Lives in one event loop.

    Oldest texts are forgotten beyond `config.keep_texts`.
    """

    def __init__(self, config: CarrierConfig, changes: ChangeSignal | None = None) -> None:
        self.config = config
        self.inbound_url = config.inbound_url
        self.faults = FaultRules()
        self.changes = changes or ChangeSignal()
        self.requests: Counter[str] = Counter()
        self.closing = asyncio.Event()
        self._texts: OrderedDict[str, Text] = OrderedDict()
        self._threads: defaultdict[str, deque[Text]] = defaultdict(deque)
        self._stopped: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._media: OrderedDict[str, Media] = OrderedDict()
        self._watchers = Subscriptions()
        self._webhooks = Webhooks(config)
        self._tasks: set[asyncio.Task[Any]] = set()

    # out

    def accept(self, form: Mapping[str, str], media: tuple[str, ...] = ()) -> Text:
        """Take a text to be sent, without setting it off. Raises Refusal, and then keeps nothing."""
        service = form.get("MessagingServiceSid") or None
        text = Text(
            from_=self._sender(form.get("From", ""), service),
            to=form.get("To", ""),
            body=form.get("Body", ""),
            direction="outbound-api",
            status="accepted" if service else "queued",
            media=media,
            messaging_service_sid=service,
            status_callback=form.get("StatusCallback") or None,
            validity_period=_validity(form.get("ValidityPeriod", "")),
        )
        if not E164.fullmatch(text.to):
            raise CarrierError(21211)
        if not text.body and not media:
            raise CarrierError(21602)
        if len(text.body) > MAX_BODY_CHARS:
            raise CarrierError(21617)
        if text.status_callback and not is_web_url(text.status_callback):
            raise CarrierError(21609)
        if (text.to, text.from_) in self._stopped:
            raise CarrierError(21610)
        text.delivery_fault = self.faults.take(DELIVERY_FAULTS, to=text.to)
        self._keep(text)
        return text

    def accept_after(self, form: Mapping[str, str], media: tuple[str, ...], seconds: float) -> None:
        """Take it after so many seconds, and set it off, when nobody thinks of it any more."""

        async def accept() -> None:
            await asyncio.sleep(seconds)
            with suppress(CarrierError):
                self.start_delivery(self.accept(form, media))

        self._spawn(accept())

    def _sender(self, number: str, service: str | None) -> str:
        if service and service != self.config.messaging_service_sid:
            raise CarrierError(21705)
        if not service and not number:
            raise CarrierError(21603)
        if number and number != self.config.from_number:
            raise CarrierError(21606)
        return self.config.from_number

    def start_delivery(self, text: Text) -> asyncio.Task[None]:
        """Begin the text's way; the task ends when its last callback has been answered."""
        return self._spawn(self._bring_about(text))

    async def _bring_about(self, text: Text) -> None:
        delivery_fault = text.delivery_fault or NO_FAULT
        held_back: list[Parameters] = []
        report: asyncio.Task[None] | None = None
        passed = 0.0
        for moment, status, code in self._way(delivery_fault):
            await asyncio.sleep(moment - passed)
            passed = moment
            if status != text.status:
                text.move(status, code)
                self._tell(text)
            if text.status_callback is None or delivery_fault.do is FaultKind.NO_CALLBACK:
                continue
            parameters = status_parameters(self.config.account_sid, text)
            if delivery_fault.do is FaultKind.CALLBACK_REVERSED:
                held_back.insert(0, parameters)
                continue
            for _ in range(2 if delivery_fault.do is FaultKind.CALLBACK_TWICE else 1):
                report = self._spawn(self._report(text, parameters, after=report))
        for parameters in held_back:
            report = self._spawn(self._report(text, parameters, after=report))
        if report:
            await report

    def _way(self, delivery_fault: Fault) -> Iterator[tuple[float, str, int | None]]:
        """Seconds since the acceptance, the status then, and the error that goes with it."""
        yield 0, "queued", None
        if delivery_fault.do is FaultKind.FAILED:
            yield self.config.sent_after, "failed", delivery_fault.code
            return
        yield self.config.sent_after, "sent", None
        if delivery_fault.do is FaultKind.NO_RECEIPT:
            return
        arrives = max(self.config.delivered_after, self.config.sent_after)
        if delivery_fault.do is FaultKind.UNDELIVERED:
            yield arrives, "undelivered", delivery_fault.code
        else:
            yield arrives, "delivered", None

    async def _report(
        self, text: Text, parameters: Parameters, *, after: asyncio.Task[None] | None
    ) -> None:
        """Tell the product, once the report before this one has been answered."""
        if after:
            await after
        if text.delivery_fault and text.delivery_fault.do is FaultKind.CALLBACK_DELAY:
            await asyncio.sleep(text.delivery_fault.seconds or 0)
        outcome = await self._webhooks.post(text.status_callback or "", parameters)
        self._note(text, parameters["MessageStatus"], outcome)

    # in

    async def receive(
        self,
        from_: str,
        body: str,
        *,
        to: str | None = None,
        media: tuple[str, ...] = (),
        sid: str | None = None,
        url: str | None = None,
    ) -> tuple[Text, Outcome]:
        """A customer's text: keep it, announce it by webhook, do what the answer asks for.

        Returns the text and how the webhook was answered. A known `sid` is announced once more,
        as a carrier does that missed the first answer. Raises ValueError in plain words when
        `from_` is no number.
        """
        if not E164.fullmatch(from_):
            raise ValueError("A text comes from a number such as +14155550132.")
        text = self._texts.get(sid) if sid else None
        opt_out = None
        if text is None:
            text = Text(
                from_=from_,
                to=to or self.config.from_number,
                body=body,
                direction="inbound",
                status="received",
                media=media,
                messaging_service_sid=self.config.messaging_service_sid,
            )
            text.sid = sid or text.sid
            self._keep(text)
            opt_out = self._heed_keyword(text)
        outcome = await self._announce(text, url or self.inbound_url, opt_out)
        self._note(text, "received", outcome)
        for words in outcome.messages:
            self._reply(text, words)
        return text, outcome

    async def _announce(self, text: Text, url: str | None, opt_out: str | None) -> Outcome:
        if url is None:
            return Outcome("none", error="Not posted: no inbound URL is set.")
        parameters = inbound_parameters(self.config.account_sid, text, opt_out)
        return await self._webhooks.post(url, parameters)

    def _heed_keyword(self, text: Text) -> str | None:
        """Twilio's default keyword handling; the kind of keyword that it was, if any."""
        pair, word = (text.from_, text.to), text.body.strip().upper()
        if word in STOP:
            kind = "STOP"
        elif word in START and (pair in self._stopped or word != "YES"):
            kind = "START"
        elif word in HELP:
            kind = "HELP"
        else:
            return None
        if kind == "STOP" and self.config.blocks_stopped:
            self._stopped[pair] = None
            if len(self._stopped) > self.config.keep_texts:
                self._stopped.popitem(last=False)
        if kind == "START":
            self._stopped.pop(pair, None)
        if self.config.confirms_stop:
            self._reply(text, CONFIRMATIONS[kind])
        return kind

    def _reply(self, text: Text, words: str) -> None:
        reply = Text(
            from_=text.to,
            to=text.from_,
            body=words,
            direction="outbound-reply",
            status="queued",
        )
        self._keep(reply)
        self.start_delivery(reply)

    # media

    def hold(self, data: bytes, media_type: str) -> str:
        """Keep what a customer's phone sends along; gives the path at which it can be fetched."""
        media_id = f"ME{token_hex(16)}"
        self._media[media_id] = Media(data, media_type)
        if len(self._media) > MAX_MEDIA:
            self._media.popitem(last=False)
        account = f"/{API_VERSION}/Accounts/{self.config.account_sid}"
        return f"{account}/Messages/MM{media_id[2:]}/Media/{media_id}"

    def media(self, media_id: str) -> "Media | None":
        """What was held under this id."""
        return self._media.get(media_id)

    # memory

    def find(self, sid: str) -> Text | None:
        """The text of that sid, unless it is unknown or forgotten."""
        return self._texts.get(sid)

    def texts(self) -> tuple[Text, ...]:
        """All that is remembered, oldest first."""
        return tuple(self._texts.values())

    def thread(self, number: str) -> tuple[Text, ...]:
        """What a customer's phone has sent and was sent, oldest first."""
        return tuple(self._threads[number]) if number in self._threads else ()

    def subscribe(self, number: str) -> Subscription:
        """Follow a customer's phone; use it in a `with` block."""
        return self._watchers.subscribe(number)

    def forget(self) -> None:
        """Texts, counts and opt-outs, as if the account were new; fault rules stay."""
        self._texts.clear()
        self._threads.clear()
        self._stopped.clear()
        self._media.clear()
        self.requests.clear()
        self.changes.changed()

    async def close(self) -> None:
        """End every wait, subscription and delivery under way."""
        self.closing.set()
        self._watchers.close()
        self.changes.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._webhooks.close()

    def _keep(self, text: Text) -> None:
        self._texts[text.sid] = text
        self._threads[text.phone].append(text)
        if len(self._texts) > self.config.keep_texts:
            _, oldest = self._texts.popitem(last=False)
            thread = self._threads[oldest.phone]
            thread.popleft()
            if not thread:
                del self._threads[oldest.phone]
        self._tell(text)

    def _tell(self, text: Text) -> None:
        if self._watchers.has_subscriber(text.phone):
            self._watchers.tell(text.phone, text.as_json())
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


def _validity(seconds: str) -> int | None:
    if not seconds:
        return None
    if not (seconds.isdecimal() and 1 <= int(seconds) <= MAX_VALIDITY_SECONDS):
        raise CarrierError(20001)
    return int(seconds)
