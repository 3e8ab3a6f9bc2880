"""What the pages show on which customers choose how we write to them, and whether at all."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Channel:
    """A way to write to the customer; `address` is masked where the browser is not known.

    `stopped` says whether they want nothing by it about this request, or nothing at all.
    """

    kind: Literal["sms", "email"]
    address: str
    stopped: Literal["", "request", "all"] = ""


@dataclass(frozen=True, slots=True)
class PreferencesPage:
    """How the customer wants to hear from us, and whether at all.

    `is_trusted`: the browser has shown a code, so it reads addresses as they are.
    """

    reference: str
    locale: str
    path: str
    channels: tuple[Channel, ...]
    chosen: Literal["sms", "email"]
    languages: tuple[tuple[str, str], ...]
    saved: bool = False
    refusal: str | None = None
    is_trusted: bool = False

    @property
    def stopped_all(self) -> bool:
        """Nothing is written to them at all, by whichever way."""
        return all(channel.stopped == "all" for channel in self.channels)


@dataclass(frozen=True, slots=True)
class UnsubscribePage:
    """Whether mail about this request is stopped, and the ways to stop it."""

    reference: str
    locale: str
    path: str
    stopped: bool
