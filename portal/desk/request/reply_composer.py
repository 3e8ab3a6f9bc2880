"""The box in which staff answer: the way it goes, and the replies at hand for it."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from portal.desk.request.conversation_view import CannedReplyLine
from portal.desk.widgets import Choice
from portal.messaging.wording.renderer import MessageRenderer, fill_template
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
    """By which ways an answer may go: the one that they used last, then the one they prefer."""

    request: ServiceRequest
    messages: Sequence[Message]
    permitted: Collection[ConsentQuery]
    renderer: MessageRenderer

    @property
    def first(self) -> Channel:
        """By which channel it goes unless staff choose another; the page where none is open."""
        return next((channel for channel, _ in self._open()), Channel.WEB)

    def choices(self) -> list[Choice]:
        """The ways that are open, the likeliest first."""
        return [Choice(channel.value, _said(channel, address)) for channel, address in self._open()]

    def sentence(self) -> str:
        """What becomes of an answer: "Goes by text to …32"."""
        ways = self.choices()
        if not ways:
            return "They want neither texts nor e-mail: it stands on their page only."
        if self._used_last() == Channel.WEB:
            return f"They wrote on their page: it stands there at once, and goes {ways[0].words}."
        return f"Goes {ways[0].words}."

    def _open(self) -> Iterator[tuple[Channel, str]]:
        customer, last = self.request.customer, self._used_last()
        for channel in sorted(customer.channels(), key=lambda one: one != last):
            address = customer.address(channel, self.renderer.now)
            if address and ConsentQuery(channel, address, self.request.id) in self.permitted:
                yield channel, address

    def _used_last(self) -> Channel | None:
        theirs = (one for one in reversed(self.messages) if one.kind == MessageKind.CUSTOMER)
        return next((one.channel for one in theirs), None)


@dataclass(frozen=True, slots=True)
class CannedReplyPresenter:
    """Lays out the replies of a department for one request, with its facts in their fields."""

    replies: Sequence[CannedReply]
    renderer: MessageRenderer
    reason: ContactReason | None

    def lines(self) -> list[CannedReplyLine]:
        """All that this request has the facts for; those that suit best are suggested.

        Best suits what was written for the reason for which the customer came last, and by the
        department itself. What was written for another reason is never suggested.
        """
        facts = self.renderer.fields()
        usable = [one for one in self.replies if all(map(facts.get, PLACEHOLDER.findall(one.body)))]
        usable.sort(key=self._distance)
        suggested = [one.id for one in usable if one.reason in ("", self.reason)][:MAX_SUGGESTED]
        return [
            CannedReplyLine(
                id=saved_id(one),
                title=one.title,
                body=fill_template(one.body, facts),
                suggested=self.reason is not None and one.id in suggested,
            )
            for one in usable
        ]

    def _distance(self, reply: CannedReply) -> tuple[bool, bool]:
        return (self.reason is None or reply.reason != self.reason, reply.department_id is None)


def _said(channel: Channel, address: str) -> str:
    """Enough of the address to know it by."""
    if channel == Channel.SMS:
        return f"by text to …{address[-2:]}"
    name, _, host = address.partition("@")
    return f"by e-mail to {name[:1]}…@{host}"
