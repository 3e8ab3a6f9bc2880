"""How a try at sending can end other than well; one family for texts and for mail.

The one distinction that counts is whether the customer may have it already: only ``NotSent`` and
``Throttled`` may simply be tried again.
"""

from dataclasses import dataclass
from typing import Literal

FailureAction = Literal[
    "opted_out", "bad_number", "bad_address", "retry_later", "pause_queue", "never_resend", "person"
]
"""What to do about a refusal.

``opted_out``: record consent withdrawn · ``bad_number``, ``bad_address``: the contact point is
no good · ``retry_later``: this one message, later · ``pause_queue``: our own account or sender is
at fault: send nothing, fail nothing, alert · ``never_resend``: these words, to this person, never
again · ``person``: somebody at the desk decides.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureRule:
    """What a provider's refusal means to us, with a reason in words for staff.

    ``permanent``: trying again unchanged cannot help. ``retries``: how many more tries are worth
    it where ``action`` is ``retry_later``; None means until the message expires.
    """

    permanent: bool
    action: FailureAction
    reason: str
    retries: int | None = 0


class SendError(Exception):
    """A try at sending that did not end in acceptance."""


class NotSent(SendError):
    """Certain: nothing reached the provider, or it said so. Safe to try again."""


class Throttled(NotSent):
    """The provider would not take it just now (HTTP 429). Never processed; safe to try again."""


class OutcomeUnknown(SendError):
    """It may be on its way. Reconcile; never send again blindly."""


class Refused(SendError):
    """The provider took a look and said no.

    ``code`` is the provider's own (a Twilio error code, an SMTP reply code), ``action`` what to
    do and ``reason`` a sentence for staff.
    """

    def __init__(self, code: int, verdict: FailureRule, said: str = "") -> None:
        super().__init__(f"{code}: {verdict.reason}" + (f" ({said})" if said else ""))
        self.code = code
        self.verdict = verdict
        self.permanent = verdict.permanent
        self.action = verdict.action
        self.reason = verdict.reason
