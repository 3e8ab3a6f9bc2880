"""How many wrong passwords are too many, counted so that nobody locks a colleague out.

A browser that is known to the person has counts of its own, so failures elsewhere never stop it
(OWASP, "Slow Down Online Guessing Attacks with Device Cookies").
"""

from collections.abc import Sequence

from starlette.requests import Request

from portal.desk.auth.sign_in_cookie import KnownBrowser
from portal.models import StaffMember
from portal.web.client_address import client_address
from portal.web.rate_limit import FailureLimit

FAILURES_PER_CLIENT = "60/minute"
FAILURES_PER_ACCOUNT_AND_CLIENT = "10/minute"
FAILURES_PER_ACCOUNT_AND_BROWSER = "10/minute"
FAILURES_PER_ACCOUNT = "100/hour"
"""From everywhere but known browsers; past it only those may sign in to the account."""
RECORDED_REFUSALS = "1/minute"
"""Of one account, or of one client with addresses that nobody has: the record and the log show that
sign-ins are refused, not how often."""


def sign_in_limits(
    request: Request, email: str, staff: StaffMember | None, browser: KnownBrowser
) -> Sequence[FailureLimit]:
    """The limits of a sign-in with this address, as typed, from this browser."""
    account = email.strip().lower()[:254]
    if browser.is_known_to(staff):
        return [
            FailureLimit(FAILURES_PER_ACCOUNT_AND_BROWSER, ("sign-in", account, browser.nonce)),
            FailureLimit(FAILURES_PER_ACCOUNT, ("sign-in browser", account, browser.nonce)),
        ]
    client = client_address(request)
    return [
        FailureLimit(FAILURES_PER_CLIENT, ("sign-in client", client)),
        FailureLimit(FAILURES_PER_ACCOUNT_AND_CLIENT, ("sign-in", account, client)),
        FailureLimit(FAILURES_PER_ACCOUNT, ("sign-in account", account)),
    ]


def invitation_limits(request: Request) -> Sequence[FailureLimit]:
    """The limit of invitations that do not work."""
    return [FailureLimit(FAILURES_PER_CLIENT, ("invitation", client_address(request)))]


def password_limits(staff: StaffMember) -> Sequence[FailureLimit]:
    """The limit of wrong current passwords when a person who is signed in changes theirs."""
    return [FailureLimit(FAILURES_PER_ACCOUNT_AND_BROWSER, ("own password", str(staff.id)))]
