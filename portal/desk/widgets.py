"""View models that several pages of the desk share: plain values, without rows or sessions.

Templates read these and decide nothing but the markup. Every sentence a member of staff reads
arrives whole. Times arrive as `When`: the ISO form beside the text, already in the zone of
the department whose desk it is.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal

BadgeKind = Literal["late", "hold", "paused", "promise", "undelivered", "waiting"]


@dataclass(frozen=True, slots=True)
class When:
    """A time: `iso` in UTC, and `words`, the text that people read: "today 2:05 pm"."""

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
    """One option of a select, such as a stage or a member of staff."""

    value: str
    words: str


@dataclass(frozen=True, slots=True)
class FormError:
    """The error of a rejected form: its action, the sentence and the input."""

    verb: str
    words: str
    typed: Mapping[str, str] = field(default_factory=dict)
    field: str = ""

    def among(self, forms: Collection[str]) -> "FormError":
        """The error at its form; for the top of the page with the lost text, where it is gone."""
        if self.verb in forms:
            return self
        lost = self.typed.get("body") or self.typed.get("note")
        return FormError("", f"{self.words} You had written: “{lost}”" if lost else self.words)


@dataclass(frozen=True, slots=True)
class Badge:
    """A mark of a row or a request, with its text: "on hold until Friday"."""

    kind: BadgeKind
    words: str
