"""What is known of a request's e-mails before a reply is read: what we wrote, and who takes part.

It runs in a child process with limits (``inbound``), so it imports little.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Self

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
    what the same sender wrote in earlier e-mails. ``customer_addresses``: the customer's e-mail
    addresses, in lower case. ``language`` is the customer's.
    """

    sent: Sequence[str] = ()
    our_marks: Sequence[str] = ()
    their_marks: Sequence[str] = ()
    earlier: Sequence[str] = ()
    customer_addresses: Sequence[str] = ()
    language: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hints:
    """What the content of a mail is read with.

    ``may_be_bounce`` and ``failed_recipients`` are of the envelope.
    """

    known: Correspondence = field(default_factory=Correspondence)
    may_be_bounce: bool = False
    failed_recipients: str = ""

    def as_json(self) -> bytes:
        """The same as JSON."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Read what ``as_json`` gives."""
        fields = json.loads(data)
        return cls(known=Correspondence(**fields.pop("known")), **fields)


NO_CORRESPONDENCE = Correspondence()
