"""What is known of a request's e-mails before a reply is read: what we wrote, and who takes part.

It runs in a child process with limits (``inbound``), so it imports little.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

MAX_SENT = 20
"""Messages of ours that a reply is compared with: the newest, and those that it names."""
MAX_EARLIER = 10
"""Earlier e-mails of the same sender that it is compared with."""
MAX_TEXT_LENGTH = 20_000
"""Characters of each that are compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Correspondence:
    """What a reply may quote, and by what the header of a quotation is known.

    ``sent``: texts of ours, as they were sent. ``our_marks``: our brand, addresses, the references
    and titles of the requests. ``their_marks``: names and addresses of the customer. ``earlier``:
    what the same sender wrote in earlier e-mails.
    """

    sent: Sequence[str] = ()
    our_marks: Sequence[str] = ()
    their_marks: Sequence[str] = ()
    earlier: Sequence[str] = ()

    def as_fields(self) -> dict[str, Any]:
        """The same as JSON values."""
        return asdict(self)

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> Self:
        """Read what ``as_fields`` gives."""
        return cls(**{name: tuple(values) for name, values in fields.items()})


NO_CORRESPONDENCE = Correspondence()
