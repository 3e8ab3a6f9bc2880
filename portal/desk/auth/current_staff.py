"""Who is at the desk: the signed cookie of a sign-in, and what the person behind it may do."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from itsdangerous import BadData, URLSafeSerializer, URLSafeTimedSerializer
from starlette.requests import HTTPConnection
from starlette.responses import Response

from portal import business_time
from portal.desk.widgets import Person
from portal.models import ServiceRequest, StaffMember
from portal.queries.desk.dropped_balls import Whom, count_balls
from portal.queries.desk.failed_messages import EVERYBODYS, Scope, count_lost, house_alerts
from portal.queries.desk.inbox import Whose, count_waiting
from portal.queries.staff import department_ids, find_staff
from portal.settings import Settings

COOKIE = "kept_desk"
SIGN_IN_LASTS = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Reader:
    """A member of staff and the ids of their departments.

    ``form_token`` must come back in each form that this person sends; it is bound to this sign-in.
    ``to_answer`` counts what customers of theirs wait for;
    ``to_mend`` counts the messages that need them, ``to_catch`` what has slipped and is before
    them; ``alerts`` say what stops all sending, to those
    who can do something about it.
    """

    staff: StaffMember
    departments: frozenset[int]
    form_token: str = ""
    to_answer: int = 0
    to_mend: int = 0
    to_catch: int = 0
    alerts: Sequence[str] = ()

    @property
    def scope(self) -> Scope:
        """Whose messages are theirs to see to: their own and their departments', or all."""
        return EVERYBODYS if self.staff.oversees else Scope(self.staff.id, self.departments)

    @property
    def inbox(self) -> Whose:
        """Whose promises their inbox has: their departments', or all."""
        return Whose() if self.staff.oversees else Whose(departments=self.departments)

    def works_in(self, department_id: int) -> bool:
        """True for their own departments, and for all of them where they oversee all."""
        return self.staff.oversees or department_id in self.departments

    def may_act(self, request: ServiceRequest) -> bool:
        """True for what they own, what lies with their departments, or all for who oversees all."""
        hands = {request.owner_id, request.coordinator_id}
        hands.update(run.assignee_id for run in request.open_runs)
        places = {request.department_id, *(run.department_id for run in request.open_runs)}
        return self.staff.id in hands or any(self.works_in(place) for place in places)


async def find_reader(connection: HTTPConnection) -> Reader | None:
    """Who is signed in; None without a sign-in that still holds.

    A sign-in ends after twelve hours, with a new password and when the person leaves, which is
    why their row is read each time.
    """
    state = connection.app.state
    told = _read(state.settings, connection.cookies.get(COOKIE, ""))
    if told is None:
        return None
    async with state.database.reading() as session:
        staff = await find_staff(session, told["staff"])
        if staff is None or staff.disabled_at or staff.sign_in_version != told["version"]:
            return None
        token = _form_tokens(state.settings).dumps(told["nonce"])
        reader = Reader(staff, await department_ids(session, staff.id or 0), token)
        return replace(
            reader,
            to_answer=(await count_waiting(session, reader.inbox, business_time.now()))[0],
            to_mend=await count_lost(session, business_time.now(), reader.scope),
            to_catch=await count_balls(session, Whom(person_id=staff.id)),
            alerts=await house_alerts(session) if staff.oversees else (),
        )


def is_readers_token(settings: Settings, connection: HTTPConnection, token: str) -> bool:
    """True for a form token that was made for this very sign-in, by any key still accepted."""
    told = _read(settings, connection.cookies.get(COOKIE, ""))
    try:
        return told is not None and _form_tokens(settings).loads(token) == told["nonce"]
    except BadData:
        return False


def begin_sign_in(settings: Settings, response: Response, staff: StaffMember) -> None:
    """Give the browser the cookie of a new sign-in."""
    told = {
        "staff": staff.id,
        "version": staff.sign_in_version,
        "nonce": secrets.token_urlsafe(12),
    }
    response.set_cookie(
        COOKIE,
        _sign_ins(settings).dumps(told),
        max_age=int(SIGN_IN_LASTS.total_seconds()),
        path="/desk",
        httponly=True,
        samesite="lax",
        secure=settings.public_url.startswith("https:"),
    )


def end_sign_in(response: Response) -> None:
    """Take the cookie back."""
    response.delete_cookie(COOKIE, path="/desk", httponly=True, samesite="lax")


def as_person(staff: StaffMember) -> Person:
    """A member of staff as the pages show them."""
    parts = staff.name.split() or ["?"]
    letters = parts[0][:1] + (parts[-1][:1] if len(parts) > 1 else "")
    return Person(staff.name, letters.upper(), staff.email)


def _read(settings: Settings, cookie: str) -> dict[str, Any] | None:
    try:
        told = _sign_ins(settings).loads(cookie, max_age=int(SIGN_IN_LASTS.total_seconds()))
    except BadData:
        return None
    return dict(told)


def _sign_ins(settings: Settings) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(_keys(settings), salt="desk sign-in")


def _form_tokens(settings: Settings) -> URLSafeSerializer:
    return URLSafeSerializer(_keys(settings), salt="desk form")


def _keys(settings: Settings) -> list[str]:
    # itsdangerous signs with the last and accepts all; our settings name the newest first.
    return [key.get_secret_value() for key in reversed(settings.secret_keys)]
