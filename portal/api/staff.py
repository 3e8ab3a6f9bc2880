"""Who sits at the desk, who is away and who stands in: telling it, and changing it."""

from datetime import datetime

from pydantic import Field

from portal import operations
from portal.api.endpoint import Look
from portal.api.schemas.inputs import Absence, Body, PageQuery, write_cursor
from portal.api.schemas.records import Answered, PageAnswer, Person
from portal.models import Role, StaffMember
from portal.operations import Turn
from portal.queries.roster import load_full_roster
from portal.queries.staff import all_seats, page_of_staff
from portal.rules.roster import Roster


class SeatAnswer(Answered):
    """A department in which a person works."""

    department: str
    is_lead: bool


class StaffAnswer(Answered):
    """A person at the desk."""

    email: str
    name: str
    role: Role
    departments: list[SeatAnswer]
    is_away: bool = Field(description="Away now: they are given nothing.")
    absent_from: datetime | None = Field(description="Of the absence that lasts or is to come.")
    absent_until: datetime | None = Field(description="When they are back; null while open.")
    deputy: Person | None = Field(description="Who stands in for them, by name.")
    stands_in: Person | None = Field(description="While away: their deputy or lead who is here.")
    disabled_at: datetime | None

    @classmethod
    def of(
        cls, person: StaffMember, roster: Roster, seats: list[tuple[int, str, bool]]
    ) -> "StaffAnswer":
        """The person, as of the roster's moment."""
        is_away, is_noted = person.is_away(roster.now), person.will_be_away(roster.now)
        taker = roster.who_stands_in(person.id or 0) if is_away else None
        return cls.read(
            person,
            departments=[
                SeatAnswer(department=key, is_lead=is_lead)
                for who, key, is_lead in seats
                if who == person.id
            ],
            is_away=is_away,
            absent_from=person.absent_from if is_noted else None,
            absent_until=person.absent_until if is_noted else None,
            deputy=_person(roster, person.deputy_id),
            stands_in=_person(roster, taker),
        )


class StaffList(PageAnswer[StaffAnswer]):
    """People at the desk, in the order of their joining."""


async def show_staff(look: Look, query: PageQuery) -> StaffList:
    """The people at the desk, and who is away."""
    people, after = await page_of_staff(look.session, limit=query.limit, after=query.cursor)
    roster = await load_full_roster(look.session, look.now)
    seats = list(await all_seats(look.session))
    items = [StaffAnswer.of(person, roster, seats) for person in people]
    return StaffList(items=items, next_cursor=write_cursor(after))


async def mark_absent(turn: Turn, body: Absence, email: str) -> StaffAnswer:
    """Mark a person as away; what they have goes to whoever stands in."""
    person = await operations.mark_absent(
        turn, email, from_=body.from_, until=body.until, deputy=body.deputy
    )
    return await _answer(turn, person)


async def mark_back(turn: Turn, body: Body, email: str) -> StaffAnswer:
    """Mark a person as here again; what others took over stays with them."""
    del body
    return await _answer(turn, await operations.mark_back(turn, email))


async def _answer(turn: Turn, person: StaffMember) -> StaffAnswer:
    roster = await load_full_roster(turn.session, turn.now)
    return StaffAnswer.of(person, roster, list(await all_seats(turn.session)))


def _person(roster: Roster, staff_id: int | None) -> Person | None:
    found = roster.staff.get(staff_id or 0)
    return Person.read(found) if found else None
