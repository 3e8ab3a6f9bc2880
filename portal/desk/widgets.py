"""What the desk's pages show, as plain values: no rows, no sessions, nothing left to look up.

Templates read these and decide nothing but the markup. Every sentence a member of staff reads
arrives whole. Times arrive as `When`: the machine's form beside the words, already in the zone of
the department whose desk it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

BadgeKind = Literal["late", "hold", "paused", "promise", "undelivered", "waiting"]


@dataclass(frozen=True, slots=True)
class When:
    """A moment: `iso` in UTC for machines, `words` such as "today 2:05 pm" for people."""

    iso: str
    words: str
    late: bool = False


@dataclass(frozen=True, slots=True)
class Person:
    """A member of staff as a row shows them."""

    name: str
    initials: str
    email: str


@dataclass(frozen=True, slots=True)
class Choice:
    """One option of a select: a stage to send back to, a person to give it to."""

    value: str
    words: str


@dataclass(frozen=True, slots=True)
class FormError:
    """Why a form was refused: the verb it belongs to, the sentence, and what had been typed."""

    verb: str
    words: str
    typed: Mapping[str, str] = field(default_factory=dict)
    field: str = ""


@dataclass(frozen=True, slots=True)
class Badge:
    """Something that sets a row apart, always in words: "on hold until Friday"."""

    kind: BadgeKind
    words: str
