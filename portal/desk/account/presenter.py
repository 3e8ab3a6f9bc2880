"""A person's sign-ins and the record of their account, as they and admins read them."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel.ext.asyncio.session import AsyncSession

from portal.desk.labels import since
from portal.desk.widgets import When
from portal.messaging.wording.time_format import TimeFormatter
from portal.models import AccountEvent, AccountEventKind, SignInEnd, StaffMember, StaffSignIn
from portal.models.columns import saved_id
from portal.queries.sign_ins import account_events_of, sign_ins_of
from portal.settings import Settings

EVENT_LABELS = {
    AccountEventKind.INVITED: "Invited",
    AccountEventKind.SIGNED_IN: "Signed in",
    AccountEventKind.SIGN_IN_FAILED: "Sign-in failed",
    AccountEventKind.SIGN_IN_LIMITED: "Sign-ins refused: too many wrong passwords",
    AccountEventKind.SIGN_IN_ENDED: "Sign-in ended",
    AccountEventKind.PASSWORD_CHANGED: "Password changed",
    AccountEventKind.PASSWORD_REFUSED: "Password change refused: wrong current password",
    AccountEventKind.DISABLED: "Disabled",
}
END_LABELS = {
    SignInEnd.SIGNED_OUT: "signed out",
    SignInEnd.SIGNED_OUT_EVERYWHERE: "signed out everywhere",
    SignInEnd.PASSWORD_CHANGED: "password changed",
    SignInEnd.INVITED: "invited again",
    SignInEnd.DISABLED: "disabled",
}


@dataclass(frozen=True, slots=True)
class SignInRow:
    """A sign-in that lasts: the browser, its network, since when, and when it was last used."""

    browser: str
    network: str
    since: When
    last_seen: When
    is_this: bool


@dataclass(frozen=True, slots=True)
class AccountEventRow:
    """A line of the record: what happened, where, by whom (empty: by the person), and when."""

    label: str
    place: str
    actor: str
    at: When


@dataclass(frozen=True, slots=True)
class AccountRecord:
    """The sign-ins of a person that last, and the newest events of their account."""

    sign_ins: Sequence[SignInRow]
    events: Sequence[AccountEventRow]


async def load_account_record(
    session: AsyncSession,
    settings: Settings,
    staff: StaffMember,
    times: TimeFormatter,
    *,
    this_id: int | None = None,
) -> AccountRecord:
    """The record of one person, in two queries; ``this_id`` is the sign-in that reads it."""
    sign_ins = await sign_ins_of(session, saved_id(staff))
    events = await account_events_of(session, saved_id(staff))
    limits = settings.sign_in_idle, settings.sign_in_longest
    return AccountRecord(
        [
            _sign_in_row(sign_in, times, is_this=sign_in.id == this_id)
            for sign_in in sign_ins
            if sign_in.expires_at(*limits) > times.now
        ],
        [_event_row(event, staff, times) for event in events],
    )


def _sign_in_row(sign_in: StaffSignIn, times: TimeFormatter, *, is_this: bool) -> SignInRow:
    return SignInRow(
        sign_in.browser,
        sign_in.network,
        since(times, sign_in.created_at),
        since(times, sign_in.last_seen_at),
        is_this,
    )


def _event_row(event: AccountEvent, staff: StaffMember, times: TimeFormatter) -> AccountEventRow:
    label = EVENT_LABELS[event.kind]
    if event.end_reason is not None:
        label += f": {END_LABELS[event.end_reason]}"
    is_by_another = event.actor != staff.name and not event.browser
    return AccountEventRow(
        label,
        ", ".join(part for part in (event.browser, event.network) if part),
        event.actor if is_by_another else "",
        since(times, event.at),
    )
