"""How an attempt to send can fail; the same errors for texts and for mail.

What counts is whether the customer may have the message already: only after ``NotSent`` and
``Throttled`` may it be sent again without asking the provider.
"""

from dataclasses import dataclass
from typing import Literal

from portal.messaging.wording.delivery_reasons import reason_sentence
from portal.models import DeliveryReason

FailureAction = Literal[
    "opted_out",
    "bad_number",
    "bad_address",
    "retry_later",
    "pause_queue",
    "never_resend",
    "by_sms",
    "person",
]
"""What to do about a refusal.

``opted_out``: record consent withdrawn · ``bad_number``, ``bad_address``: the contact point is
not valid · ``retry_later``: send this message again later · ``pause_queue``: our own account or
sender is at fault: send nothing, fail nothing, alert · ``never_resend``: never send this text to
this person again · ``by_sms``: WhatsApp does not take it, and SMS may · ``person``: a member of
staff decides.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureRule:
    """What a provider's refusal means to us.

    ``permanent``: trying again unchanged cannot help. ``retries``: how many more tries are worth
    it where ``action`` is ``retry_later``; None means until the message expires.
    """

    permanent: bool
    action: FailureAction
    reason: DeliveryReason
    retries: int | None = 0


class SendError(Exception):
    """The provider did not accept the message.

    ``outage`` says what the provider does where it is at fault rather than the message, such as
    "Twilio answers 503"; otherwise it is empty.
    """

    def __init__(self, text: str = "", *, outage: str = "") -> None:
        super().__init__(text)
        self.outage = outage

    @property
    def summary(self) -> str:
        """What happened, for the log: nothing that the provider itself wrote, which may name a number."""
        return self.outage or type(self).__name__


class NotSent(SendError):
    """Nothing reached the provider, or its response says so. The message may be sent again."""


class Throttled(NotSent):
    """The provider takes no more at the moment (HTTP 429). The message may be sent again."""


class OutcomeUnknown(SendError):
    """The provider may have the message: it is reconciled, and never simply sent again."""


class Refused(SendError):
    """The provider refused the message.

    ``code`` is the provider's (a Twilio error code, an SMTP reply code), ``said`` its own text.
    """

    def __init__(self, code: int, verdict: FailureRule, said: str = "") -> None:
        super().__init__(
            f"{code}: {reason_sentence(verdict.reason)}" + (f" ({said})" if said else "")
        )
        self.code = code
        self.verdict = verdict
        self.permanent = verdict.permanent
        self.action = verdict.action
        self.reason = verdict.reason

    @property
    def summary(self) -> str:
        """See SendError."""
        return f"{self.code}: {reason_sentence(self.reason)}"
