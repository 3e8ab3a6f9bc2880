"""`kept staff sign-ins`: who is signed in, and what happened to accounts."""

from collections.abc import Iterator, Sequence

from portal import business_time
from portal.commands.runner import run_operation
from portal.desk.account.presenter import AccountRecord, load_account_record
from portal.errors import NotFound
from portal.messaging.wording.time_format import TimeFormatter
from portal.models import StaffMember
from portal.models.columns import saved_id
from portal.operations import Operations
from portal.queries.roster import load_full_roster
from portal.queries.staff import find_staff_by_email
from portal.settings import Settings


def list_sign_ins(settings: Settings, email: str | None) -> list[str]:
    """The sign-ins and the newest account events of one person, or of everybody.

    Times are in each person's zone. Raises NotFound for an unknown address.
    """

    async def read(operations: Operations) -> list[str]:
        async with operations.database.reading() as session:
            roster = await load_full_roster(session, business_time.now())
            people: Sequence[StaffMember] = sorted(
                roster.staff.values(), key=lambda person: person.email
            )
            if email is not None:
                person = await find_staff_by_email(session, email)
                if person is None:
                    raise NotFound(f"Nobody at the desk has the address {email[:100]!r}.")
                people = [person]
            lines: list[str] = []
            for person in people:
                zone = roster.timezone_of(saved_id(person))
                times = TimeFormatter("en", zone, roster.now)
                record = await load_account_record(session, settings, person, times)
                lines += _lines(person, record)
        return lines or ["Nobody yet: `kept staff add`."]

    return run_operation(settings, read)


def _lines(person: StaffMember, record: AccountRecord) -> Iterator[str]:
    yield f"{person.email}: {person.name}"
    for sign_in in record.sign_ins:
        place = f"{sign_in.browser} ({sign_in.network or 'network unknown'})"
        yield f"  signed in: {place}, since {sign_in.since.words}, last used {sign_in.last_seen.words}"
    for event in record.events:
        details = "".join(
            [
                f" ({event.place})" if event.place else "",
                f" by {event.actor}" if event.actor else "",
            ]
        )
        yield f"  {event.at.iso} {event.label}{details}"
