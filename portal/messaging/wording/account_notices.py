"""Mail to a member of staff about their own account, so that they notice what they did not do."""

from portal.models import AccountEvent, AccountEventKind, StaffMember

SUBJECTS = {
    AccountEventKind.SIGNED_IN: "New sign-in at the {brand} desk",
    AccountEventKind.PASSWORD_CHANGED: "Your password at the {brand} desk was changed",
}
SENTENCES = {
    AccountEventKind.SIGNED_IN: "You signed in from a browser that we did not know{where}, on {at}.",
    AccountEventKind.PASSWORD_CHANGED: "Your password was changed{where}, on {at}. "
    "All earlier sign-ins have ended.",
}
ADVICE = (
    "If that was you, there is nothing to do. If it was not, please tell your administrator at once: "
    "a new invitation ends every sign-in and the old password."
)


def render_account_notice(brand: str, staff: StaffMember, event: AccountEvent) -> tuple[str, str]:
    """The subject and the body. The time is in UTC. Raises KeyError for a kind without a notice."""
    where = f" ({event.browser})" if event.browser else ""
    at = f"{event.at:%a} {event.at.day} {event.at:%b %Y, %H:%M} UTC"
    sentence = SENTENCES[event.kind].format(where=where, at=at)
    return SUBJECTS[event.kind].format(
        brand=brand
    ), f"Hello {staff.name},\n\n{sentence}\n\n{ADVICE}"
