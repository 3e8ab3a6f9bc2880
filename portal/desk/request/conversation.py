"""The conversation as staff see it: every word, the way it went and what became of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from portal.desk.labels import WAY, since, taken_as, who_wrote
from portal.desk.request.conversation_view import Entry, FileEntry
from portal.desk.request.delivery_status import KIND, NOT_THERE, cost, fate, tries
from portal.messaging.wording.time_format import Words
from portal.models import Attachment, Channel, Customer, Direction, Message, SendAttempt
from portal.operations.delivery.failed_messages import LOST


@dataclass(frozen=True, slots=True)
class Talk:
    """Draws messages with a customer.

    ``attempts`` are those at each, ``files`` those that came with it, by the message's id.
    """

    words: Words
    attempts: Mapping[int, list[SendAttempt]]
    files: Mapping[int, list[Attachment]] = field(default_factory=dict)

    def entries(self, messages: Sequence[Message], customer: Customer) -> list[Entry]:
        """All of them."""
        return [self.entry(one, customer.first_name, customer.timezone) for one in messages]

    def entry(self, message: Message, first_name: str, theirs: str) -> Entry:
        """One message; ``theirs`` is the customer's zone."""
        files = self.files.get(message.id or 0, [])
        plain = Entry(
            mine=message.direction == Direction.OUT,
            who=who_wrote(message, first_name),
            body=message.body or (ONLY_FILES if files else ""),
            files=[FileEntry(f"/desk/files/{one.id}", one.kept, one.reason) for one in files],
            at=since(self.words, message.created_at),
            fate=fate(message, self.words, theirs),
            trouble=_is_lost_to_them(message),
            id=message.id or 0,
            meaning=message.meaning,
            taken_as=taken_as(message),
        )
        if message.direction == Direction.IN or message.channel == Channel.WEB:
            return plain
        needs_person = message.status in LOST and message.settled_at is None
        return replace(
            plain,
            kind=KIND[message.kind],
            to=f"{WAY[message.channel]} to {message.to_address}",
            cost=cost(message),
            tries=tries(message, self.attempts.get(message.id or 0, []), self.words),
            mend_url=f"/desk/messages/{message.id}" if needs_person else "",
        )


ONLY_FILES = "They sent a photo, without words."


def did_not_arrive(messages: Sequence[Message]) -> bool:
    """True when the customer does not have our last words, and nobody has seen to it."""
    told = [one for one in messages if one.direction == Direction.OUT]
    return bool(told) and _is_lost_to_them(told[-1])


def _is_lost_to_them(message: Message) -> bool:
    return message.status in NOT_THERE and message.settled_at is None
