"""Members of staff: their departments, their absences and who covers for them."""

from datetime import datetime

from pydantic import Field

from portal import operations
from portal.api.endpoint import ReadContext
from portal.api.schemas.base import PageResponse, ResponseModel, StaffReference
from portal.api.schemas.fields import encode_cursor
from portal.api.schemas.inputs import Absence, Input
from portal.api.schemas.queries import PageQuery
from portal.models import Role, StaffMember
from portal.models.columns import saved_id
from portal.operations import UnitOfWork
from portal.queries.paging import PageRequest
from portal.queries.roster import load_full_roster
from portal.queries.staff import all_memberships, list_staff
from portal.rules.roster import Roster


class MembershipResponse(ResponseModel):
    """A department in which a person works."""

    department: str
    is_lead: bool


class StaffResponse(ResponseModel):
    """A member of staff."""

    email: str
    name: str
    role: Role
    departments: list[MembershipResponse]
    is_away: bool = Field(description="Away now: they are given nothing.")
    absent_from: datetime | None = Field(description="Of the absence that lasts or is to come.")
    absent_until: datetime | None = Field(description="When they are back; null while open.")
    deputy: StaffReference | None = Field(description="Who stands in for them, by name.")
    stands_in: StaffReference | None = Field(
        description="While away: their deputy or lead who is here."
    )
    disabled_at: datetime | None

    @classmethod
    def of(
        cls, person: StaffMember, roster: Roster, memberships: list[tuple[int, str, bool]]
    ) -> "StaffResponse":
        """The person at the time of the roster."""
        is_away, is_noted = person.is_away(roster.now), person.will_be_away(roster.now)
        cover_id = roster.find_cover(saved_id(person)) if is_away else None
        return cls.from_object(
            person,
            departments=[
                MembershipResponse(department=key, is_lead=is_lead)
                for staff_id, key, is_lead in memberships
                if staff_id == person.id
            ],
            is_away=is_away,
            absent_from=person.absent_from if is_noted else None,
            absent_until=person.absent_until if is_noted else None,
            deputy=_person(roster, person.deputy_id),
            stands_in=_person(roster, cover_id),
        )


class StaffList(PageResponse[StaffResponse]):
    """Members of staff, in the order in which they joined."""


async def show_staff(context: ReadContext, query: PageQuery) -> StaffList:
    """The members of staff, and who is away."""
    people, after = await list_staff(context.session, PageRequest(query.limit, query.cursor))
    roster = await load_full_roster(context.session, context.now)
    memberships = list(await all_memberships(context.session))
    items = [StaffResponse.of(person, roster, memberships) for person in people]
    return StaffList(items=items, next_cursor=encode_cursor(after))


async def mark_absent(uow: UnitOfWork, body: Absence, email: str) -> StaffResponse:
    """Mark a person as away; their open work is reassigned to their cover."""
    person = await operations.mark_absent(
        uow, email, from_=body.from_, until=body.until, deputy=body.deputy
    )
    return await _response(uow, person)


async def mark_back(uow: UnitOfWork, body: Input, email: str) -> StaffResponse:
    """Mark a person as back; what others took over stays with the others."""
    del body
    return await _response(uow, await operations.mark_returned(uow, email))


async def _response(uow: UnitOfWork, person: StaffMember) -> StaffResponse:
    roster = await load_full_roster(uow.session, uow.now)
    return StaffResponse.of(person, roster, list(await all_memberships(uow.session)))


def _person(roster: Roster, staff_id: int | None) -> StaffReference | None:
    person = roster.staff.get(staff_id or 0)
    return StaffReference.from_object(person) if person else None
