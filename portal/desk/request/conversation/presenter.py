"""The conversation as staff see it: each message, its channel and its delivery status."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from portal.desk.labels import author_label, intent_label, since, way_label
from portal.desk.request.conversation.attachments import AttachmentPresenter
from portal.desk.request.conversation.delivery_status import (
    KIND_LABELS,
    NOT_DELIVERED,
    cost,
    delivery_status,
    present_attempts,
)
from portal.desk.request.conversation.view_models import ConversationEntry
from portal.messaging.sms.reactions import reaction_line
from portal.messaging.wording.time_format import TimeFormatter
from portal.models import Attachment, Channel, Customer, Direction, Message, SendAttempt
from portal.models.columns import saved_id
from portal.operations.delivery.failed_messages import FAILED_OR_UNKNOWN


@dataclass(frozen=True, slots=True)
class ConversationPresenter:
    """Presents the messages with a customer.

    ``attempts`` are those at each, ``files`` those that came with it, by the message's id;
    ``attachments`` presents the files.
    """

    times: TimeFormatter
    attempts: Mapping[int, list[SendAttempt]]
    files: Mapping[int, list[Attachment]] = field(default_factory=dict)
    attachments: AttachmentPresenter | None = None

    def entries(self, messages: Sequence[Message], customer: Customer) -> list[ConversationEntry]:
        """All entries, in the order of the messages."""
        bodies = {message.id: message.body for message in messages}
        entries = []
        for message in messages:
            entry = self.entry(message, customer.first_name, customer.readable_timezone)
            if message.reacted_to_id in bodies:
                line = reaction_line(message.because, bodies[message.reacted_to_id])
                entry = replace(entry, body=line)
            entries.append(entry)
        return entries

    def entry(self, message: Message, first_name: str, timezone: str) -> ConversationEntry:
        """One message; ``timezone`` is the customer's."""
        files = self.files.get(saved_id(message), [])
        entry = ConversationEntry(
            mine=message.direction == Direction.OUT,
            who=author_label(message, first_name),
            body=message.body or (ATTACHMENTS_ONLY if files else ""),
            files=[self.attachments.entry(file) for file in files] if self.attachments else (),
            at=since(self.times, message.created_at),
            delivery_status=delivery_status(message, self.times, timezone),
            is_undelivered=_is_undelivered(message),
            id=saved_id(message),
            intent=message.intent,
            intent_label=intent_label(message),
        )
        if message.direction == Direction.IN or message.channel == Channel.WEB:
            return entry
        needs_person = message.status in FAILED_OR_UNKNOWN and message.handled_at is None
        return replace(
            entry,
            kind=KIND_LABELS[message.kind],
            to=f"{way_label(message)}{_template(message)} to {message.to_address}",
            cost=cost(message),
            attempts=present_attempts(
                message, self.attempts.get(saved_id(message), []), self.times
            ),
            resolve_url=f"/desk/messages/{message.id}" if needs_person else "",
        )


def _template(message: Message) -> str:
    """That it went by a template, whose words are at Twilio."""
    return " (template)" if message.template_sid else ""


ATTACHMENTS_ONLY = "A photo without text."


def is_last_message_undelivered(messages: Sequence[Message]) -> bool:
    """True when our last message was not delivered, and nobody has handled that."""
    outbound = [message for message in messages if message.direction == Direction.OUT]
    return bool(outbound) and _is_undelivered(outbound[-1])


def _is_undelivered(message: Message) -> bool:
    return message.status in NOT_DELIVERED and message.handled_at is None
