"""The view models of the preferences page and the unsubscribe page."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class ChannelPreference:
    """A channel of the customer; `address` is masked where the browser is not trusted.

    `stopped` is what they have opted out of: this request, or all messages.
    """

    kind: Literal["sms", "email"]
    address: str
    stopped: Literal["", "request", "all"] = ""


@dataclass(frozen=True, slots=True)
class PreferencesPage:
    """The customer's preferred channel and language, and their opt-outs.

    `is_trusted`: the browser has shown a code, so addresses are not masked. `verified`: it has
    shown it just now, to begin messages again. `quiet_from` and `quiet_until` are the hours in which
    they want no message, as their clock shows them; empty where they named none. ``push_key`` is our
    public key for notifications; ``is_notified``: a browser of theirs gets them.
    """

    reference: str
    locale: str
    path: str
    channels: tuple[ChannelPreference, ...]
    preferred: Literal["sms", "email"]
    languages: tuple[tuple[str, str], ...]
    saved: bool = False
    refusal: str | None = None
    is_trusted: bool = False
    verified: bool = False
    quiet_from: str = ""
    quiet_until: str = ""
    takes_questions: bool = True
    push_key: str = ""
    is_notified: bool = False

    @property
    def may_notify(self) -> bool:
        """True where notifications can stand in for texts."""
        return any(each.kind == "sms" and not each.stopped for each in self.channels)

    @property
    def stopped_all(self) -> bool:
        """True where they have opted out of every channel."""
        return all(channel.stopped == "all" for channel in self.channels)


@dataclass(frozen=True, slots=True)
class UnsubscribePage:
    """Whether e-mail about this request is stopped."""

    reference: str
    locale: str
    path: str
    stopped: bool
