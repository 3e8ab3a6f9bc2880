"""What a bounce means: for the message, and for the address that it was sent to.

Source: RFC 3463 (enhanced status codes).
"""

from typing import Any

from portal.messaging.email.delivery_report import DeliveryReport
from portal.messaging.send_errors import FailureRule
from portal.models import DeliveryReason


def failure_rule(report: DeliveryReport) -> FailureRule:
    """The rule for it. A temporary failure, or one of the content, keeps the address valid."""
    if report.status.startswith("4"):
        reason = DeliveryReason.MAIL_GIVEN_UP
        return FailureRule(permanent=False, action="person", reason=reason)
    for code, rule in FAILURE_RULES.items():
        if f"{report.status}.".startswith(f"{code}."):
            return rule
    return PERMANENT_BOUNCE


def _lasting(reason: DeliveryReason, *, bad_address: bool = False) -> FailureRule:
    action: Any = "bad_address" if bad_address else "person"
    return FailureRule(permanent=True, action=action, reason=reason)


PERMANENT_BOUNCE = _lasting(DeliveryReason.MAIL_RETURNED, bad_address=True)
FAILURE_RULES = {
    "5.1.7": _lasting(DeliveryReason.MAIL_SENDER_REFUSED),
    "5.1.8": _lasting(DeliveryReason.MAIL_SENDER_REFUSED),
    "5.1": _lasting(DeliveryReason.ADDRESS_UNKNOWN, bad_address=True),
    "5.2.2": _lasting(DeliveryReason.MAILBOX_FULL),
    "5.2.3": _lasting(DeliveryReason.MAIL_TOO_LONG),
    "5.2": _lasting(DeliveryReason.MAILBOX_CLOSED, bad_address=True),
    "5.3": _lasting(DeliveryReason.MAIL_SERVER_FAILED),
    "5.4": _lasting(DeliveryReason.MAIL_DOMAIN_UNKNOWN, bad_address=True),
    "5.5": _lasting(DeliveryReason.MAIL_SERVER_FAILED),
    "5.6": _lasting(DeliveryReason.MAIL_CONTENT_UNSUPPORTED),
    "5.7": _lasting(DeliveryReason.MAIL_UNWANTED),
}
"""The first that fits counts. A full mailbox is emptied one day; a policy may change."""
