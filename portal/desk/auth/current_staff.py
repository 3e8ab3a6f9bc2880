"""Who is signed in at the desk, and what that person may do."""

from dataclasses import dataclass

from starlette.requests import HTTPConnection

from portal.desk.auth.sign_in_cookie import make_form_token, read_sign_in_cookie
from portal.desk.widgets import Person
from portal.models import ServiceRequest, StaffMember
from portal.models.columns import saved_id
from portal.queries.paging import EVERYTHING, WorkScope
from portal.queries.staff import find_staff_with_departments
from portal.rules.authorization import Act, is_allowed
from portal.rules.colleague import Colleague


@dataclass(frozen=True, slots=True)
class CurrentStaff:
    """A member of staff and the ids of their departments.

    ``form_token`` must come back in each form that this person sends; it is bound to this sign-in.
    """

    staff: StaffMember
    departments: frozenset[int]
    form_token: str = ""

    @property
    def scope(self) -> WorkScope:
        """Whose messages are theirs to see to: their own and their departments', or all."""
        return EVERYTHING if self.staff.manages_all else WorkScope(self.staff.id, self.departments)

    @property
    def inbox(self) -> WorkScope:
        """Whose promises their inbox has: their departments', or all."""
        return EVERYTHING if self.staff.manages_all else WorkScope(departments=self.departments)

    def works_in(self, department_id: int) -> bool:
        """True for their own departments, and for all of them where they oversee all."""
        return self.staff.manages_all or department_id in self.departments

    def may(self, act: Act, request: ServiceRequest | None, stage: str | None = None) -> bool:
        """The authorization rule for this person: what is offered is what is accepted.

        Not for ``Act.RECALL``, which asks who leads the sender's department.
        """
        return is_allowed(self.colleague, request, stage, act)

    @property
    def colleague(self) -> Colleague:
        """The person as the authorization rule sees them, without what they lead."""
        return Colleague(
            saved_id(self.staff), self.staff.name, self.staff.manages_all, self.departments
        )


async def find_current_staff(connection: HTTPConnection) -> CurrentStaff | None:
    """Who is signed in; None without a sign-in that still holds.

    A sign-in ends after twelve hours, with a new password and when the person leaves, which is
    why their row is read each time, in one query.
    """
    state = connection.app.state
    cookie = read_sign_in_cookie(state.settings, connection)
    if cookie is None:
        return None
    async with state.database.reading() as session:
        staff, departments = await find_staff_with_departments(session, cookie["staff"])
    if staff is None or staff.disabled_at or staff.sign_in_version != cookie["version"]:
        return None
    return CurrentStaff(staff, departments, make_form_token(state.settings, cookie["nonce"]))


def as_person(staff: StaffMember) -> Person:
    """A member of staff as the pages show them."""
    parts = staff.name.split() or ["?"]
    letters = parts[0][:1] + (parts[-1][:1] if len(parts) > 1 else "")
    return Person(staff.name, letters.upper(), staff.email)
