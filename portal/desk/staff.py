"""The people: who is here, who is away until when, who stands in; and noting an absence."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from portal import business_time
from portal.desk.auth.access import answer, field, frame, is_fragment, read_form, read_number
from portal.desk.auth.current_staff import Reader, as_person
from portal.desk.labels import zone_words
from portal.desk.widgets import Choice, Person
from portal.errors import NotAllowed, NotFound, PortalError
from portal.models import Department, Role, StaffMember
from portal.operations import Turn, mark_absent, mark_back
from portal.operations.staff import read_day
from portal.queries.desk.canned_replies import led_departments
from portal.queries.roster import load_full_roster
from portal.rules.roster import Roster

SAID = {
    "absent": "Noted. Nothing new comes while away, and what is there goes to whoever stands in.",
    "back": "Noted. What others took over stays with them.",
}
FIELDS = ("from", "until", "deputy")


@dataclass(frozen=True, slots=True)
class Shown:
    """A person in the list: what they are there, and whether they are here."""

    person: Person
    does: str
    state: str
    is_away: bool
    change_url: str | None


@dataclass(frozen=True, slots=True)
class Group:
    """The people of one department, or those who oversee all."""

    name: str
    people: Sequence[Shown]


@dataclass(frozen=True, slots=True)
class AbsenceForm:
    """The absence of one person, to be noted or ended. Days are in the zone named."""

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
class People:
    """Everybody, as one reader sees them and may change them."""

    reader: Reader
    roster: Roster
    leads: frozenset[int]

    def may_change(self, person: StaffMember) -> bool:
        """Their own absence; a lead that of their people; who oversees all, everybody's."""
        me = self.reader.staff
        return (
            me.oversees
            or person.id == me.id
            or any(person.id in self.roster.members.get(place, []) for place in self.leads)
        )

    def get(self, staff_id: int) -> StaffMember:
        """Somebody whose absence this reader may change. Raises NotFound and NotAllowed."""
        person = self.roster.staff.get(staff_id)
        if person is None or person.disabled_at is not None:
            raise NotFound("There is nobody of that number at the desk.")
        if not self.may_change(person):
            raise NotAllowed("Their department's lead notes that, or somebody who oversees all.")
        return person

    def groups(self) -> list[Group]:
        """The reader's departments, or all of them; then who oversees all."""
        places = [
            Group(one.name, self._of(one))
            for one in sorted(self.roster.departments.values(), key=lambda one: one.name)
            if self.reader.works_in(one.id or 0)
        ]
        everywhere = [
            self._shown(one, {Role.MANAGER: "manager", Role.ADMIN: "admin"}[one.role])
            for one in self._by_name(self.roster.staff)
            if one.oversees
        ]
        return [group for group in [*places, Group("All departments", everywhere)] if group.people]

    def form(self, person: StaffMember, typed: dict[str, str], problem: str) -> AbsenceForm:
        """The form of this person, with what had been typed where it was refused."""
        roster, is_me = self.roster, person.id == self.reader.staff.id
        zone = roster.zone_of(person.id or 0)
        is_noted = person.will_be_away(roster.now)
        deputy = roster.staff.get(person.deputy_id or 0)
        known = {"from": "", "until": "", "deputy": deputy.email if deputy else ""}
        if is_noted and person.absent_from is not None:
            local = ZoneInfo(zone)
            known["from"] = f"{person.absent_from.astimezone(local):%Y-%m-%d}"
            if person.absent_until is not None:
                known["until"] = f"{person.absent_until.astimezone(local):%Y-%m-%d}"
        return AbsenceForm(
            id=person.id or 0,
            title="You" if is_me else person.name,
            state=f"{'You are' if is_me else f'{person.name} is'} {self._state(person)}.",
            is_me=is_me,
            name=person.name.split()[0],
            is_noted=is_noted,
            is_away=person.is_away(roster.now),
            typed=known | typed,
            deputies=self._deputies(person),
            zone=zone_words(zone),
            problem=problem,
        )

    def _of(self, department: Department) -> list[Shown]:
        lead = self.roster.leads.get(department.id or 0)
        return [
            self._shown(one, "leads it" if one.id == lead else "")
            for one in self._by_name(self.roster.members.get(department.id or 0, []))
        ]

    def _by_name(self, ids: Any) -> list[StaffMember]:
        people = [self.roster.staff[one] for one in ids]
        return sorted((one for one in people if not one.disabled_at), key=lambda one: one.name)

    def _shown(self, person: StaffMember, does: str) -> Shown:
        url = f"/desk/people?person={person.id}" if self.may_change(person) else None
        is_away = person.is_away(self.roster.now)
        return Shown(as_person(person), does, self._state(person), is_away, url)

    def _state(self, person: StaffMember) -> str:
        """As a list says it: "here", "away until Tue 3 Jun; Paul Press stands in"."""
        roster, staff_id = self.roster, person.id or 0
        if not person.will_be_away(roster.now):
            return "here"
        taker = roster.who_stands_in(staff_id)
        who = f"{roster.person(taker).name} stands in" if taker else "nobody stands in by name"
        return f"{person.away_words(roster.now, roster.zone_of(staff_id))}; {who}"

    def _deputies(self, person: StaffMember) -> list[Choice]:
        near = {
            one
            for members in self.roster.members.values()
            if person.id in members
            for one in members
        }
        others = [one for one in self._by_name(self.roster.staff) if one.id != person.id]
        others.sort(key=lambda one: one.id not in near)
        return [
            Choice("", "Nobody by name: the department's lead"),
            *(Choice(one.email, one.name) for one in others),
        ]


async def show_people(request: Request, reader: Reader) -> Response:
    """`GET /desk/people?person=&done=`: with the form of the person named, else the reader's."""
    asked = request.query_params
    people = await _people(request, reader)
    number = read_number(asked["person"], "person") if asked.get("person") else reader.staff.id or 0
    return _answer(request, people, people.get(number), said=SAID.get(asked.get("done", "")))


async def note_absence(request: Request, reader: Reader) -> Response:
    """`POST /desk/people/{id}/absent` with `from`, `until`, `deputy`; `/desk/people/{id}/back`."""
    verb, number = request.path_params["verb"], read_number(request.path_params["id"], "person")
    if verb not in SAID:
        raise NotFound("There is nothing of that name to do.")
    form = await read_form(request)
    people = await _people(request, reader)
    person = people.get(number)
    try:
        async with request.app.state.relay.turn(reader.staff.actor) as turn:
            await _do(turn, verb, person, people.roster.zone_of(number), form)
    except PortalError as refusal:
        typed = {name: field(form, name) for name in FIELDS if name in form}
        return _answer(request, people, person, typed=typed, refusal=refusal)
    if not is_fragment(request):
        return RedirectResponse(f"/desk/people?person={number}&done={verb}", 303)
    people = await _people(request, reader)
    return _answer(request, people, people.get(number), said=SAID[verb])


async def _do(turn: Turn, verb: str, person: StaffMember, zone: str, form: FormData) -> None:
    if verb == "back":
        await mark_back(turn, person.email)
        return
    await mark_absent(
        turn,
        person.email,
        from_=read_day(field(form, "from"), zone),
        until=read_day(field(form, "until"), zone),
        deputy=field(form, "deputy"),
    )


async def _people(request: Request, reader: Reader) -> People:
    async with request.app.state.database.reading() as session:
        roster = await load_full_roster(session, business_time.now())
        return People(reader, roster, await led_departments(session, reader.staff.id or 0))


def _answer(
    request: Request,
    people: People,
    person: StaffMember,
    *,
    said: str | None = None,
    typed: dict[str, str] | None = None,
    refusal: PortalError | None = None,
) -> Response:
    context = {
        "absence": people.form(person, typed or {}, refusal.detail if refusal else ""),
        "groups": people.groups(),
        "said": said,
        **frame(people.reader),
    }
    return answer(request, "desk/people.html", context, refusal.status if refusal else 200)
