"""One account at the fake carrier: its texts, their delivery, and faults on request.

No network and no event loop: the HTTP server delivers over it in real time (fake_carrier.py), and
tests and the simulation send through it in their own process.
"""

import re
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from secrets import token_hex

from portal.demo.fake_providers.channels import (
    WHATSAPP,
    channel_of,
    fill_template,
    receiver,
    route,
    window_fault,
)
from portal.demo.fake_providers.config import CarrierConfig, is_web_url
from portal.demo.fake_providers.errors import CarrierError
from portal.demo.fake_providers.faults import DELIVERY_FAULTS, Fault, FaultKind, FaultRules
from portal.demo.fake_providers.sms import Text, number_of

E164 = re.compile(r"\+[1-9]\d{6,14}")
LONGEST_BODY = 1_600
LONGEST_VALIDITY = 36_000

# Source: https://help.twilio.com/articles/223134027 (default keywords)
STOP = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"})
START = frozenset({"START", "YES", "UNSTOP"})
HELP = frozenset({"HELP", "INFO"})


@dataclass(frozen=True, slots=True)
class Step:
    """What happens to a text some seconds after its acceptance.

    It takes the status unless `happens` is false; a status callback is sent if `is_reported`.
    """

    after: float
    status: str
    error_code: int | None = None
    happens: bool = True
    is_reported: bool = True


class Account:
    """All that one account has sent and received. Oldest texts go beyond `config.keep_texts`.

    `now` and `new_sid` are the clock and the source of sids.
    """

    def __init__(
        self,
        config: CarrierConfig,
        faults: FaultRules | None = None,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        new_sid: Callable[[], str] = lambda: f"SM{token_hex(16)}",
    ) -> None:
        self.config = config
        self.faults = faults or FaultRules()
        self._now, self._new_sid = now, new_sid
        self._texts: OrderedDict[str, Text] = OrderedDict()
        self._threads: defaultdict[str, deque[Text]] = defaultdict(deque)
        self._stopped: OrderedDict[str, None] = OrderedDict()

    def accept(self, form: Mapping[str, str], media: tuple[str, ...] = ()) -> Text:
        """Accept a text to send, by Twilio's form fields. Raises Refusal, and keeps nothing then."""
        service, to = form.get("MessagingServiceSid") or None, form.get("To", "")
        self._check_sender(form.get("From", ""), service)
        if not E164.fullmatch(number_of(to)):
            raise CarrierError(21211)
        sender, to = route(self.config, to)
        body, content_sid = form.get("Body", ""), form.get("ContentSid") or None
        if content_sid:
            body = fill_template(self.config, content_sid, form.get("ContentVariables", ""))
        text = Text(
            sid=self._new_sid(),
            created_at=self._now(),
            from_=sender,
            to=to,
            body=body,
            content_sid=content_sid,
            direction="outbound-api",
            status="accepted" if service else "queued",
            media=media,
            messaging_service_sid=service,
            status_callback=form.get("StatusCallback") or None,
            validity_period=_validity(form.get("ValidityPeriod", "")),
        )
        if not text.body and not media:
            raise CarrierError(21602)
        if len(text.body) > LONGEST_BODY:
            raise CarrierError(21617)
        if text.status_callback and not is_web_url(text.status_callback):
            raise CarrierError(21609)
        if channel_of(to) != WHATSAPP and text.phone in self._stopped:
            raise CarrierError(21610)
        fault = self.faults.take(DELIVERY_FAULTS, to=text.phone) or window_fault(
            self.config, self.thread(text.phone), text, self._now()
        )
        text.faults = (fault,) if fault else ()
        self._keep(text)
        return text

    def _check_sender(self, number: str, service: str | None) -> None:
        if service and service != self.config.messaging_service_sid:
            raise CarrierError(21705)
        if not service and not number:
            raise CarrierError(21603)
        if number and number != self.config.from_number:
            raise CarrierError(21606)

    def receive_from_phone(
        self,
        from_: str,
        body: str,
        *,
        to: str | None = None,
        media: tuple[str, ...] = (),
        sid: str | None = None,
    ) -> tuple[Text, str | None]:
        """Keep a customer's text; gives it, and STOP, START or HELP where it is such a keyword.

        A known `sid` gives the text that is there. Raises ValueError in plain words when `from_`
        is no number.
        """
        if not E164.fullmatch(number_of(from_)):
            raise ValueError("A text comes from a number such as +14155550132.")
        known = self._texts.get(sid) if sid else None
        if known is not None:
            return known, None
        text = Text(
            sid=sid or self._new_sid(),
            created_at=self._now(),
            from_=from_,
            to=to or receiver(self.config, from_),
            body=body,
            direction="inbound",
            status="received",
            media=media,
            messaging_service_sid=self.config.messaging_service_sid,
        )
        self._keep(text)
        return text, self._apply_keyword(text)

    def _apply_keyword(self, text: Text) -> str | None:
        """Twilio's default keyword handling: one for SMS and RCS together, none for WhatsApp."""
        word = text.body.strip().upper()
        if channel_of(text.from_) == WHATSAPP:
            return None
        if word in STOP:
            if self.config.blocks_stopped:
                self._stopped[text.phone] = None
                if len(self._stopped) > self.config.keep_texts:
                    self._stopped.popitem(last=False)
            return "STOP"
        if word in START and (text.phone in self._stopped or word != "YES"):
            self._stopped.pop(text.phone, None)
            return "START"
        return "HELP" if word in HELP else None

    def reply(self, text: Text, words: str) -> Text:
        """Keep an answer to a customer's text."""
        answer = Text(
            sid=self._new_sid(),
            created_at=self._now(),
            from_=text.to,
            to=text.from_,
            body=words,
            direction="outbound-reply",
            status="queued",
        )
        self._keep(answer)
        return answer

    def move(self, text: Text, status: str, error_code: int | None = None) -> None:
        """Give a text its next status."""
        text.move(status, error_code, self._now())
        self._changed()

    def find(self, sid: str) -> Text | None:
        """The text of that sid, unless it is unknown or forgotten."""
        return self._texts.get(sid)

    def texts(self) -> tuple[Text, ...]:
        """All that is remembered, oldest first."""
        return tuple(self._texts.values())

    def thread(self, number: str) -> tuple[Text, ...]:
        """What a customer's phone has sent and received, oldest first."""
        return tuple(self._threads[number]) if number in self._threads else ()

    def forget(self) -> None:
        """Remove texts and opt-outs, as if the account were new; fault rules stay."""
        self._texts.clear()
        self._threads.clear()
        self._stopped.clear()

    def _keep(self, text: Text) -> None:
        self._texts[text.sid] = text
        self._threads[text.phone].append(text)
        if len(self._texts) > self.config.keep_texts:
            _, oldest = self._texts.popitem(last=False)
            thread = self._threads[oldest.phone]
            thread.popleft()
            if not thread:
                del self._threads[oldest.phone]
        self._changed()

    def _changed(self) -> None:
        """A text is new or has another status: for a carrier that notifies somebody."""


def delivery_steps(
    faults: tuple[Fault, ...],
    sent_after: float,
    delivered_after: float,
    apart: float = 0.0,
    *,
    is_read: bool = False,
) -> list[Step]:
    """What happens to an accepted text, in order; times are seconds after its acceptance.

    A callback that comes twice or late comes `apart` seconds after the one before it. `is_read`:
    what is delivered is read at once.
    """
    failure = next(
        (fault for fault in faults if fault.do in (FaultKind.FAILED, FaultKind.UNDELIVERED)), None
    )
    status, code = (failure.do.value, failure.code) if failure else ("delivered", None)
    end = max(delivered_after, sent_after)
    steps = [Step(0, "queued"), Step(sent_after, "sent"), Step(end, status, code)]
    kinds = {fault.do for fault in faults}
    if FaultKind.FAILED in kinds:
        steps = [steps[0], Step(sent_after, status, code)]
    elif FaultKind.NO_RECEIPT in kinds:
        steps.pop()
    elif is_read and not failure:
        steps.append(Step(end, "read"))
    if FaultKind.NO_CALLBACK in kinds:
        return [replace(step, is_reported=False) for step in steps]
    if FaultKind.CALLBACK_TWICE in kinds:
        repeated = (replace(step, after=step.after + apart, happens=False) for step in steps)
        return [step for pair in zip(steps, repeated, strict=True) for step in pair]
    if FaultKind.CALLBACK_REVERSED in kinds:
        *earlier, last = steps
        late = (
            replace(step, after=last.after + number * apart, happens=False)
            for number, step in enumerate(reversed(earlier), start=1)
        )
        return [*(replace(step, is_reported=False) for step in earlier), last, *late]
    return steps


def _validity(seconds: str) -> int | None:
    if not seconds:
        return None
    if not (seconds.isdecimal() and 1 <= int(seconds) <= LONGEST_VALIDITY):
        raise CarrierError(20001)
    return int(seconds)
