"""The customer's contact preferences, as staff read and record them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from portal.desk.labels import since
from portal.desk.request.view_models import AddressConsent, ConsentButton, ConsentLine, ConsentView
from portal.messaging.wording.time_format import TimeFormatter
from portal.models import Channel, Consent, ConsentSource, ServiceRequest
from portal.operations.conversation.wishes.preferences import clock_fields
from portal.queries.consent import ConsentQuery

CHANNEL_NAMES = {Channel.SMS: "SMS", Channel.EMAIL: "E-mail"}
SOURCE_LABELS = {
    ConsentSource.REQUEST: "given with a request",
    ConsentSource.TEXT: "by SMS",
    ConsentSource.MAIL: "by e-mail",
    ConsentSource.STATUS_PAGE: "on the status page",
    ConsentSource.UNSUBSCRIBE_LINK: "by the unsubscribe link",
    ConsentSource.CARRIER: "reported by the carrier",
    ConsentSource.STAFF: "",
}


@dataclass(frozen=True, slots=True)
class ConsentPresenter:
    """Presents the consent of one request; ``lines`` are its history, the newest first."""

    request: ServiceRequest
    lines: Sequence[Consent]
    permitted: Collection[ConsentQuery]
    times: TimeFormatter

    def view(self, *, may_act: bool) -> ConsentView:
        """The whole section; buttons only for those who may act."""
        points = [
            (channel, address)
            for channel in CHANNEL_NAMES
            for address in self.request.customer.addresses(channel, self.times.now)
        ]
        return ConsentView(
            [self._address_consent(channel, address) for channel, address in points],
            self._wishes(),
            [self._line(line) for line in self.lines],
            [*self._buttons(), *self._wish_buttons()] if may_act else (),
        )

    def _address_consent(self, channel: Channel, address: str) -> AddressConsent:
        if ConsentQuery(channel, address, self.request.id) in self.permitted:
            line = self._newest(channel, address, granted=True)
            text = f"{CHANNEL_NAMES[channel]}: opted in"
        else:
            line = self._newest(channel, address, granted=False)
            text = self._decision(line) if line else f"{CHANNEL_NAMES[channel]}: no consent"
        at = since(self.times, line.at) if line else None
        return AddressConsent(address, text, at, stopped=line is None or not line.granted)

    def _newest(self, channel: Channel, address: str, *, granted: bool) -> Consent | None:
        """The newest line of that decision that applies to this request."""
        return next(
            (
                line
                for line in self.lines
                if (line.channel, line.address, line.granted) == (channel, address, granted)
                and line.request_id in (None, self.request.id)
            ),
            None,
        )

    def _line(self, line: Consent) -> ConsentLine:
        source = SOURCE_LABELS.get(ConsentSource(line.source), "")
        origin = ", ".join(part for part in (source, line.evidence) if part)
        return ConsentLine(since(self.times, line.at), line.address, self._decision(line), origin)

    def _decision(self, line: Consent) -> str:
        scope = ""
        if line.request_id is not None:
            scope = " (this request)"
            if line.request_id != self.request.id:
                scope = " (another request)"
        if line.granted:
            return f"{CHANNEL_NAMES[line.channel]}: opted in{scope}"
        return f"{CHANNEL_NAMES[line.channel]}: opted out{scope}"

    def _wishes(self) -> list[str]:
        """The wishes of the customer, as staff read them; the clock is the customer's."""
        customer = self.request.customer
        wishes = [] if customer.takes_questions else ["No follow-up questions"]
        if hours := customer.own_quiet_hours:
            times = TimeFormatter("en", customer.readable_timezone, self.times.now)
            wishes.insert(
                0, "No messages from {begin} to {end}".format(**clock_fields(times, hours))
            )
        return wishes

    def _wish_buttons(self) -> list[ConsentButton]:
        customer = self.request.customer
        quiet = ("quiet_off", "End quiet hours") if customer.quiet_hours else (
            "quiet_on", "No messages at night"
        )  # fmt: skip
        questions = ("questions_off", "No follow-up questions")
        if not customer.takes_questions:
            questions = ("questions_on", "Ask follow-up questions again")
        return [ConsentButton(label, "", wish, "") for wish, label in (quiet, questions)]

    def _buttons(self) -> list[ConsentButton]:
        buttons = []
        for channel, label in CHANNEL_NAMES.items():
            name = label if channel == Channel.SMS else label.lower()
            addresses = self.request.customer.addresses(channel, self.times.now)
            if not addresses:
                continue
            general = {ConsentQuery(channel, address, None) for address in addresses}
            for_request = {ConsentQuery(channel, address, self.request.id) for address in addresses}
            opt_in = f"Opt in to {name}"
            if not general & set(self.permitted):
                buttons.append(ConsentButton(opt_in, channel.value, "start", "all"))
                continue
            if not for_request & set(self.permitted):
                buttons.append(ConsentButton(opt_in, channel.value, "start", "request"))
            else:
                opt_out = f"Opt out of {name} (this request)"
                buttons.append(ConsentButton(opt_out, channel.value, "stop", "request"))
            buttons.append(ConsentButton(f"Opt out of {name}", channel.value, "stop", "all"))
        return buttons


def permissions_to_check(request: ServiceRequest, times: TimeFormatter) -> list[ConsentQuery]:
    """The consent to look up: each address, for this request and in general."""
    return [
        ConsentQuery(channel, address, request_id)
        for channel in CHANNEL_NAMES
        for address in request.customer.addresses(channel, times.now)
        for request_id in (None, request.id)
    ]
