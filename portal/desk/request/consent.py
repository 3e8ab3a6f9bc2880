"""The customer's contact preferences, as staff read and record them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from portal.desk.labels import since
from portal.desk.request.view_models import AddressConsent, ConsentButton, ConsentLine, ConsentView
from portal.messaging.wording.time_format import TimeFormatter
from portal.models import Channel, Consent, ConsentSource, ServiceRequest
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
    words: TimeFormatter

    def view(self, *, may_act: bool) -> ConsentView:
        """The whole section; buttons only for those who may act."""
        points = [
            (channel, address)
            for channel in CHANNEL_NAMES
            for address in self.request.customer.addresses(channel, self.words.now)
        ]
        return ConsentView(
            [self._stands(channel, address) for channel, address in points],
            [self._line(one) for one in self.lines],
            self._buttons() if may_act else (),
        )

    def _stands(self, channel: Channel, address: str) -> AddressConsent:
        if ConsentQuery(channel, address, self.request.id) in self.permitted:
            line = self._newest(channel, address, granted=True)
            told = f"{CHANNEL_NAMES[channel]}: opted in"
        else:
            line = self._newest(channel, address, granted=False)
            told = self._wish(line) if line else f"{CHANNEL_NAMES[channel]}: no consent"
        at = since(self.words, line.at) if line else None
        return AddressConsent(address, told, at, stopped=line is None or not line.granted)

    def _newest(self, channel: Channel, address: str, *, granted: bool) -> Consent | None:
        """The newest line of that decision that applies to this request."""
        return next(
            (
                one
                for one in self.lines
                if (one.channel, one.address, one.granted) == (channel, address, granted)
                and one.request_id in (None, self.request.id)
            ),
            None,
        )

    def _line(self, line: Consent) -> ConsentLine:
        how = SOURCE_LABELS.get(ConsentSource(line.source), "")
        told = ", ".join(part for part in (how, line.evidence) if part)
        return ConsentLine(since(self.words, line.at), line.address, self._wish(line), told)

    def _wish(self, line: Consent) -> str:
        about = ""
        if line.request_id is not None:
            about = " (this request)"
            if line.request_id != self.request.id:
                about = " (another request)"
        if line.granted:
            return f"{CHANNEL_NAMES[line.channel]}: opted in{about}"
        return f"{CHANNEL_NAMES[line.channel]}: opted out{about}"

    def _buttons(self) -> list[ConsentButton]:
        buttons = []
        for channel, called in CHANNEL_NAMES.items():
            name = called if channel == Channel.SMS else called.lower()
            addresses = self.request.customer.addresses(channel, self.words.now)
            if not addresses:
                continue
            all_of_it = {ConsentQuery(channel, address, None) for address in addresses}
            here = {ConsentQuery(channel, address, self.request.id) for address in addresses}
            again = f"Opt in to {name}"
            if not all_of_it & set(self.permitted):
                buttons.append(ConsentButton(again, channel.value, "start", "all"))
                continue
            if not here & set(self.permitted):
                buttons.append(ConsentButton(again, channel.value, "start", "request"))
            else:
                words = f"Opt out of {name} (this request)"
                buttons.append(ConsentButton(words, channel.value, "stop", "request"))
            buttons.append(ConsentButton(f"Opt out of {name}", channel.value, "stop", "all"))
        return buttons


def permissions_to_check(request: ServiceRequest, words: TimeFormatter) -> list[ConsentQuery]:
    """The consent to look up: each address, for this request and in general."""
    return [
        ConsentQuery(channel, address, about)
        for channel in CHANNEL_NAMES
        for address in request.customer.addresses(channel, words.now)
        for about in (None, request.id)
    ]
