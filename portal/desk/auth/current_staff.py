"""Who is signed in at the desk, and what that person may do."""

from dataclasses import dataclass

from starlette.requests import HTTPConnection

from portal import business_time
from portal.desk.auth.sign_in_cookie import make_form_token, read_sign_in_token
from portal.desk.widgets import Person
from portal.models import ServiceRequest, StaffMember, StaffSignIn
from portal.models.columns import saved_id
from portal.queries.paging import EVERYTHING, WorkScope
from portal.queries.sign_ins import find_sign_in
from portal.rules.authorization import Act, is_allowed
from portal.rules.colleague import Colleague


@dataclass(frozen=True, slots=True)
class CurrentStaff:
    """A member of staff, the ids of their departments, and their sign-in (None in the demo).

    ``form_token`` must come back in each form that this person sends; it is bound to this sign-in.
    """

    staff: StaffMember
    departments: frozenset[int]
    sign_in: StaffSignIn | None = None
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

    The sign-in's row is read each time, with the person and their departments, in one query: it
    ends by sign-out, with a new password or invitation, when the person is disabled, without use
    (KEPT_SIGN_IN_IDLE_HOURS) and after KEPT_SIGN_IN_MAX_HOURS.
    """
    state = connection.app.state
    token = read_sign_in_token(connection)
    if token is None:
        return None
    async with state.database.reading() as session:
        found = await find_sign_in(session, token)
    if found is None:
        return None
    sign_in, staff, departments = found
    expires_at = sign_in.expires_at(state.settings.sign_in_idle, state.settings.sign_in_longest)
    if staff.disabled_at or expires_at <= business_time.now():
        return None
    return CurrentStaff(staff, departments, sign_in, make_form_token(token))


async def is_still_signed_in(connection: HTTPConnection) -> bool:
    """True while the sign-in with which a live stream was opened still holds; one query.

    A stream asks it from time to time and ends when it is False.
    """
    return await find_current_staff(connection) is not None


def as_person(staff: StaffMember) -> Person:
    """A member of staff as the pages show them."""
    parts = staff.name.split() or ["?"]
    letters = parts[0][:1] + (parts[-1][:1] if len(parts) > 1 else "")
    return Person(staff.name, letters.upper(), staff.email)
