"""The reply box: its channels and its saved replies."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from portal.desk.request.conversation.view_models import CannedReplyLine, DeliveryNote
from portal.desk.widgets import Choice
from portal.messaging.wording.renderer import MessageRenderer, fill_template
from portal.messaging.wording.signatures import signature
from portal.models import (
    CannedReply,
    Channel,
    ContactReason,
    Message,
    MessageKind,
    ServiceRequest,
)
from portal.models.columns import saved_id
from portal.operations.conversation.canned_replies import PLACEHOLDER
from portal.queries.consent import ConsentQuery

MAX_SUGGESTED = 3


@dataclass(frozen=True, slots=True)
class ReplyChannels:
    """The channels of a reply: the one last used by the customer, then the preferred one."""

    request: ServiceRequest
    messages: Sequence[Message]
    permitted: Collection[ConsentQuery]
    renderer: MessageRenderer

    @property
    def default_channel(self) -> Channel:
        """The default channel; the status page where no other is permitted."""
        return next((channel for channel, _ in self._permitted()), Channel.WEB)

    def choices(self) -> list[Choice]:
        """The permitted channels, the default first."""
        return [
            Choice(channel.value, _label(channel, address))
            for channel, address in self._permitted()
        ]

    def delivery_note(self, writer: str) -> DeliveryNote:
        """Where a reply of this colleague's goes, and what a text of it begins with."""
        locale = self.request.customer.locale
        return DeliveryNote(self._description(), signature(writer, self.renderer.brand, locale))

    def _description(self) -> str:
        """Where a reply goes: "To: SMS …32"."""
        choices = self.choices()
        if not choices:
            return "Visible on status page only"
        if self._last_channel() == Channel.WEB:
            return f"Visible on status page at once. To: {choices[0].words}"
        return f"To: {choices[0].words}"

    def _permitted(self) -> Iterator[tuple[Channel, str]]:
        customer, last = self.request.customer, self._last_channel()
        for channel in sorted(customer.channels(), key=lambda channel: channel != last):
            address = customer.address(channel, self.renderer.now)
            if address and ConsentQuery(channel, address, self.request.id) in self.permitted:
                yield channel, address

    def _last_channel(self) -> Channel | None:
        from_customer = (
            message for message in reversed(self.messages) if message.kind == MessageKind.CUSTOMER
        )
        return next((message.channel for message in from_customer), None)


@dataclass(frozen=True, slots=True)
class CannedReplyPresenter:
    """Presents the saved replies of a department, with placeholders filled in for one request."""

    replies: Sequence[CannedReply]
    renderer: MessageRenderer
    reason: ContactReason | None

    def lines(self) -> list[CannedReplyLine]:
        """Those whose placeholders this request can fill in; the best matches are suggested.

        The best match has the reason of the customer's last contact and is the department's own. A
        reply for another reason is never suggested.
        """
        facts = self.renderer.fields()
        usable = [
            reply for reply in self.replies if all(map(facts.get, PLACEHOLDER.findall(reply.body)))
        ]
        usable.sort(key=self._distance)
        suggested = [reply.id for reply in usable if reply.reason in ("", self.reason)][
            :MAX_SUGGESTED
        ]
        return [
            CannedReplyLine(
                id=saved_id(reply),
                title=reply.title,
                body=fill_template(reply.body, facts),
                suggested=self.reason is not None and reply.id in suggested,
            )
            for reply in usable
        ]

    def _distance(self, reply: CannedReply) -> tuple[bool, bool]:
        return (self.reason is None or reply.reason != self.reason, reply.department_id is None)


def _label(channel: Channel, address: str) -> str:
    """The channel with a part of the address."""
    if channel == Channel.SMS:
        return f"SMS …{address[-2:]}"
    name, _, host = address.partition("@")
    return f"e-mail {name[:1]}…@{host}"
