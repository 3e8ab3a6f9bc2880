"""The team: who is available, who is away until when, who covers; and setting time off."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from portal import business_time
from portal.desk.account.presenter import AccountRecord, load_account_record
from portal.desk.auth.access import (
    answer,
    field,
    is_fragment,
    layout_context,
    read_form,
    read_number,
)
from portal.desk.auth.current_staff import CurrentStaff, as_person
from portal.desk.labels import timezone_label
from portal.desk.widgets import Choice, Person
from portal.errors import NotAllowed, NotFound, PortalError
from portal.messaging.wording.time_format import TimeFormatter
from portal.models import Department, Role, StaffMember
from portal.models.columns import saved_id
from portal.models.people.given_name import staff_first_name
from portal.operations import UnitOfWork, mark_absent, mark_returned
from portal.operations.staff import parse_day
from portal.queries.roster import load_full_roster
from portal.queries.staff import led_departments
from portal.rules.authorization import may_change_absence
from portal.rules.roster import Roster

SUCCESS_MESSAGES = {
    "absent": "Saved. New and open work goes to the cover.",
    "back": "Saved. Work that others took over stays with them.",
}
ABSENCE_FIELDS = ("from", "until", "deputy")


@dataclass(frozen=True, slots=True)
class StaffRow:
    """A person in the list: their role, and whether they are available."""

    person: Person
    role_label: str
    state: str
    is_away: bool
    change_url: str | None


@dataclass(frozen=True, slots=True)
class StaffGroup:
    """The members of one department, or the managers."""

    name: str
    people: Sequence[StaffRow]


@dataclass(frozen=True, slots=True)
class AbsenceForm:
    """The time off of one person, to be set or ended. Days are in the zone named."""

    id: int
    title: str
    state: str
    is_me: bool
    name: str
    is_noted: bool
    is_away: bool
    typed: dict[str, str]
    deputies: Sequence[Choice]
    zone: str
    problem: str


@dataclass(frozen=True)
class StaffDirectory:
    """All staff, as one reader sees them and may change their time off."""

    reader: CurrentStaff
    roster: Roster
    leads: frozenset[int]

    def may_change(self, person: StaffMember) -> bool:
        """True for their own time off, for their team's as its lead, for all as a manager."""
        department_ids = [
            department_id
            for department_id, members in self.roster.members.items()
            if person.id in members
        ]
        colleague = replace(self.reader.colleague, leads=self.leads)
        return may_change_absence(colleague, saved_id(person), department_ids)

    def get(self, staff_id: int) -> StaffMember:
        """A person whose time off this reader may change. Raises NotFound and NotAllowed."""
        person = self.roster.staff.get(staff_id)
        if person is None or person.disabled_at is not None:
            raise NotFound("There is no such person at the desk.")
        if not self.may_change(person):
            raise NotAllowed("Only their team lead or a manager can change that.")
        return person

    def groups(self) -> list[StaffGroup]:
        """The reader's departments, or all of them; then the managers."""
        department_groups = [
            StaffGroup(department.name, self._member_rows(department))
            for department in sorted(
                self.roster.departments.values(), key=lambda department: department.name
            )
            if self.reader.works_in(saved_id(department))
        ]
        manager_rows = [
            self._row(person, {Role.MANAGER: "manager", Role.ADMIN: "admin"}[person.role])
            for person in self._by_name(self.roster.staff)
            if person.manages_all
        ]
        return [
            group
            for group in [*department_groups, StaffGroup("All departments", manager_rows)]
            if group.people
        ]

    def form(self, person: StaffMember, values: dict[str, str], problem: str) -> AbsenceForm:
        """The form of this person, with the input where it was rejected."""
        roster, is_me = self.roster, person.id == self.reader.staff.id
        zone = roster.timezone_of(saved_id(person))
        is_noted = person.will_be_away(roster.now)
        deputy = roster.staff.get(person.deputy_id or 0)
        saved_values = {"from": "", "until": "", "deputy": deputy.email if deputy else ""}
        if is_noted and person.absent_from is not None:
            local = ZoneInfo(zone)
            saved_values["from"] = f"{person.absent_from.astimezone(local):%Y-%m-%d}"
            if person.absent_until is not None:
                saved_values["until"] = f"{person.absent_until.astimezone(local):%Y-%m-%d}"
        return AbsenceForm(
            id=saved_id(person),
            title="You" if is_me else person.name,
            state=f"{'You are' if is_me else f'{person.name} is'} {self._state(person)}.",
            is_me=is_me,
            name=staff_first_name(person.name),
            is_noted=is_noted,
            is_away=person.is_away(roster.now),
            typed=saved_values | values,
            deputies=self._deputies(person),
            zone=timezone_label(zone),
            problem=problem,
        )

    def _member_rows(self, department: Department) -> list[StaffRow]:
        lead = self.roster.leads.get(saved_id(department))
        return [
            self._row(member, "team lead" if member.id == lead else "")
            for member in self._by_name(self.roster.members.get(saved_id(department), []))
        ]

    def _by_name(self, ids: Any) -> list[StaffMember]:
        people = [self.roster.staff[staff_id] for staff_id in ids]
        return sorted(
            (person for person in people if not person.disabled_at), key=lambda person: person.name
        )

    def _row(self, person: StaffMember, role_label: str) -> StaffRow:
        url = f"/desk/people?person={person.id}" if self.may_change(person) else None
        is_away = person.is_away(self.roster.now)
        return StaffRow(as_person(person), role_label, self._state(person), is_away, url)

    def _state(self, person: StaffMember) -> str:
        """As a list says it: "available", "away until Tue 3 Jun; cover: Paul Press"."""
        roster, staff_id = self.roster, saved_id(person)
        if not person.will_be_away(roster.now):
            return "available"
        cover_id = roster.find_cover(staff_id)
        cover = (
            f"cover: {roster.person(cover_id).name}" if cover_id else "cover: team lead (default)"
        )
        return f"{person.describe_absence(roster.now, roster.timezone_of(staff_id))}; {cover}"

    def _deputies(self, person: StaffMember) -> list[Choice]:
        teammates = {
            member
            for members in self.roster.members.values()
            if person.id in members
            for member in members
        }
        others = [other for other in self._by_name(self.roster.staff) if other.id != person.id]
        others.sort(key=lambda other: other.id not in teammates)
        return [
            Choice("", "Team lead (default)"),
            *(Choice(other.email, other.name) for other in others),
        ]


async def show_staff(request: Request, reader: CurrentStaff) -> Response:
    """`GET /desk/people?person=&done=`: with the form of the person named, else the reader's."""
    query = request.query_params
    directory = await _load_directory(request, reader)
    staff_id = (
        read_number(query["person"], "person") if query.get("person") else saved_id(reader.staff)
    )
    return await _render(
        request,
        directory,
        directory.get(staff_id),
        said=SUCCESS_MESSAGES.get(query.get("done", "")),
    )


async def record_absence(request: Request, reader: CurrentStaff) -> Response:
    """`POST /desk/people/{id}/absent` with `from`, `until`, `deputy`; `/desk/people/{id}/back`."""
    verb, staff_id = request.path_params["verb"], read_number(request.path_params["id"], "person")
    if verb not in SUCCESS_MESSAGES:
        raise NotFound("There is nothing of that name to do.")
    form = await read_form(request)
    directory = await _load_directory(request, reader)
    person = directory.get(staff_id)
    try:
        async with request.app.state.operations.begin(reader.staff.actor) as uow:
            await _apply(uow, verb, person, directory.roster.timezone_of(staff_id), form)
    except PortalError as refusal:
        values = {name: field(form, name) for name in ABSENCE_FIELDS if name in form}
        return await _render(request, directory, person, values=values, refusal=refusal)
    if not is_fragment(request):
        return RedirectResponse(f"/desk/people?person={staff_id}&done={verb}", 303)
    directory = await _load_directory(request, reader)
    return await _render(request, directory, directory.get(staff_id), said=SUCCESS_MESSAGES[verb])


async def _apply(
    uow: UnitOfWork, verb: str, person: StaffMember, zone: str, form: FormData
) -> None:
    if verb == "back":
        await mark_returned(uow, person.email)
        return
    await mark_absent(
        uow,
        person.email,
        from_=parse_day(field(form, "from"), zone),
        until=parse_day(field(form, "until"), zone),
        deputy=field(form, "deputy"),
    )


async def _load_directory(request: Request, reader: CurrentStaff) -> StaffDirectory:
    async with request.app.state.database.reading() as session:
        roster = await load_full_roster(session, business_time.now())
        return StaffDirectory(
            reader, roster, await led_departments(session, saved_id(reader.staff))
        )


async def _render(
    request: Request,
    directory: StaffDirectory,
    person: StaffMember,
    *,
    said: str | None = None,
    values: dict[str, str] | None = None,
    refusal: PortalError | None = None,
) -> Response:
    record = await _account_record(request, directory, person)
    context = {
        "record": record,
        "absence": directory.form(person, values or {}, refusal.detail if refusal else ""),
        "groups": directory.groups(),
        "said": said,
        **layout_context(directory.reader),
    }
    return await answer(request, "desk/staff.html", context, refusal.status if refusal else 200)


async def _account_record(
    request: Request, directory: StaffDirectory, person: StaffMember
) -> AccountRecord | None:
    """The sign-ins and the account events of the person, for admins only."""
    if directory.reader.staff.role != Role.ADMIN:
        return None
    zone = directory.roster.timezone_of(saved_id(person))
    state, times = request.app.state, TimeFormatter("en", zone, directory.roster.now)
    async with state.database.reading() as session:
        return await load_account_record(session, state.settings, person, times)
