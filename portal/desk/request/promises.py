"""Promises at the desk: a preview of a new one, and the list of a request's."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from portal import business_time
from portal.desk.auth.access import field, read_form
from portal.desk.auth.current_staff import CurrentStaff
from portal.desk.labels import due, iso
from portal.desk.request.view_models import PromiseLine
from portal.desk.widgets import Choice
from portal.errors import BadInput
from portal.messaging.intents.commitments import Commitment, parse_promise_line
from portal.messaging.intents.deadlines import DeadlineParser
from portal.messaging.wording.time_format import TimeFormatter
from portal.models import (
    Department,
    Event,
    EventKind,
    Promise,
    PromiseKind,
    PromiseState,
    ServiceRequest,
)
from portal.models.columns import saved_id
from portal.queries.requests import get_service_request
from portal.queries.roster import load_roster
from portal.rules.authorization import Act, authorize
from portal.rules.roster import Roster
from portal.web import templating

MAX_LINE_LENGTH = 200
MAX_PAST = 5
FULFILMENT_HINTS = {
    PromiseKind.ANSWER: "Completes with your next message.",
    PromiseKind.CALL: "Completes when a call is logged.",
    PromiseKind.OTHER: "",
}
SHORT_TEXTS = {PromiseKind.ANSWER: "reply", PromiseKind.CALL: "call"}


@dataclass(frozen=True, slots=True)
class PromisePreview:
    """The preview of a promise, as parsed from one line.

    `words` is a short form, `customer_text` what the customer will read; `note` is why another time
    is offered, `problem` what is missing. Each of `times` is a button that saves it, the first the
    likeliest; with `needs_time` a time has to be filled in.
    """

    line: str
    words: str = ""
    customer_text: str = ""
    fulfilment_hint: str = ""
    note: str = ""
    problem: str = ""
    times: Sequence[Choice] = ()
    needs_time: bool = False

    @property
    def status(self) -> int:
        """422 while something is missing or wrong."""
        return 422 if self.problem else 200


async def preview_promise(request: Request, reader: CurrentStaff) -> Response:
    """`POST /desk/requests/{reference}/promises/preview`: a preview; saves nothing."""
    held, department = await _held(request)
    authorize(reader.colleague, held, None, Act.PROMISE)
    line = field(await read_form(request), "text")[:MAX_LINE_LENGTH]
    context = {
        "promise_preview": build_preview(line, department, business_time.now()) if line else None,
        "first_name": held.customer.first_name,
    }
    return templating.fragment(request, "desk/request/_promise_preview.html", "preview", context)


async def preview_unless_agreed(
    request: Request, reader: CurrentStaff, form: FormData
) -> tuple[PromisePreview, ServiceRequest] | None:
    """The preview of the line, until the reader has agreed to it, and the request.

    None when it can be saved: a time was filled in, or the time of this very line was agreed to,
    or it is rejected anyway.
    """
    line = field(form, "text")[:MAX_LINE_LENGTH]
    if field(form, "due_at") or (field(form, "agreed") and field(form, "line") == line):
        return None
    held, department = await _held(request)
    if not reader.may(Act.PROMISE, held) or held.is_closed:
        return None
    return build_preview(line, department, business_time.now()), held


async def _held(request: Request) -> tuple[ServiceRequest, Department]:
    async with request.app.state.database.reading() as session:
        held = await get_service_request(session, request.path_params["reference"])
        roster = await load_roster(session, held.definition)
    return held, roster.department_by_id(held.department_id)


def build_preview(line: str, department: Department, now: datetime) -> PromisePreview:
    """What the line promises, and by when, in the department's zone and opening hours."""
    words = TimeFormatter("en", department.timezone, now)
    said, does = _read(line, department, now)
    if not said.text:
        problem = "Please say what will be done, such as “call back tomorrow 3pm”."
        return PromisePreview(line, problem=problem)
    fulfilment_hint = FULFILMENT_HINTS[said.kind]
    if said.at is None:
        problem = "No one time can be read in this. Please add one, such as “tomorrow 3pm”, or:"
        return PromisePreview(
            line, does, said.text, fulfilment_hint, problem=problem, needs_time=True
        )
    note, times = "", [said.at]
    if said.at <= now:
        note, times = "That time has passed.", [department.reply_due_at(now)]
    elif not _is_open(department, said.at):
        note = f"{department.name} is closed then."
        times = [_nearest_open(department, said.at, now), said.at]
    first, *others = (_by(words, at) for at in times)
    buttons = [
        f"Save for {first}" if note else "Save commitment",
        *(f"Keep {it}" for it in others),
    ]
    return PromisePreview(
        line=line,
        words=f"{does}, by {_by(words, said.at)}",
        customer_text=f"{said.text.rstrip('.')}. By {words.by(times[0])}.",
        fulfilment_hint=fulfilment_hint,
        note=note,
        problem=note if said.at <= now else "",
        times=[Choice(iso(at), button) for at, button in zip(times, buttons, strict=True)],
    )


def read_agreed_time(form: FormData) -> datetime:
    """The time of the button pressed. Raises BadInput where it has none."""
    try:
        at = datetime.fromisoformat(field(form, "agreed"))
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise BadInput("Please give a time.", fields={"due_at": "a date and a time"})
    return at


def parse_promise(line: str, department: Department, now: datetime) -> Commitment:
    """What the line promises, as the customer reads it and without its time."""
    return _read(line, department, now)[0]


def _read(line: str, department: Department, now: datetime) -> tuple[Commitment, str]:
    said, does = parse_promise_line(line, DeadlineParser(department.calendar, now))
    # Forms and buttons have whole minutes.
    at = said.at.replace(second=0, microsecond=0) if said.at else None
    return Commitment(said.kind, said.text, at), does


def _is_open(department: Department, at: datetime) -> bool:
    """True when open at that time, or until that time."""
    calendar = department.calendar
    return calendar.is_open(at) or calendar.is_open(at - timedelta(seconds=1))


def _nearest_open(department: Department, at: datetime, now: datetime) -> datetime:
    """The closing of that same day or the next opening, whichever is nearer."""
    opens = department.calendar.next_open(at)
    day = at.astimezone(department.calendar.zone).date()
    closes = DeadlineParser(department.calendar, now).end_of_day(day)
    is_before = now < closes < at and _is_open(department, closes)
    return closes if is_before and at - closes <= opens - at else opens


def _by(words: TimeFormatter, at: datetime) -> str:
    """A time with its date: "tomorrow, 3 pm (Mon 24 Nov)"."""
    said, date = words.by(at), words.date_of(at)
    return said if date in said else f"{said} ({date})"


def promise_lines(
    request: ServiceRequest, roster: Roster, words: TimeFormatter, events: Sequence[Event]
) -> tuple[list[PromiseLine], list[PromiseLine]]:
    """The open ones, soonest due first, and the last few closed, newest first."""
    read = {
        event.data.get("promise_id"): saved_id(event) for event in events if event.data.get("read")
    }
    wrote = max(
        (saved_id(event) for event in events if event.kind == EventKind.MESSAGE_OUT), default=0
    )

    def line(one: Promise) -> PromiseLine:
        state, owner = one.state(words.now), roster.person(one.owner_id).name
        return PromiseLine(
            id=str(one.id),
            text=one.text,
            owner=owner,
            due=due(words, one.due_at, late=state == PromiseState.LATE),
            made=words.stamp(one.made_at),
            is_due_soon=one.is_due_soon(words.now),
            is_late=one.kept_late or state == PromiseState.MISSED,
            outcome=_outcome(one, words),
            short_text=f"{SHORT_TEXTS.get(one.kind, one.text)}, by {words.by(one.due_at)}",
            fulfilment_hint=FULFILMENT_HINTS[one.kind],
            is_told=one.is_told,
            may_withdraw=one.id in read or not one.is_told,
            is_just_detected=read.get(one.id, 0) > wrote > 0,
        )

    still = sorted(
        (promise for promise in request.promises if promise.is_open), key=lambda one: one.due_at
    )
    past = [
        promise for promise in request.promises if promise.closed_at and not promise.closed_reason
    ]
    past.sort(key=lambda one: one.closed_at or one.due_at, reverse=True)
    return [line(item) for item in still], [line(item) for item in past[:MAX_PAST]]


def _outcome(promise: Promise, words: TimeFormatter) -> str:
    if promise.kept_at is None:
        return f"missed, {words.stamp(promise.closed_at)}" if promise.closed_at else ""
    return f"done {'late, ' if promise.kept_late else ''}{words.stamp(promise.kept_at)}"


def unanswered_note(request: ServiceRequest, roster: Roster, times: TimeFormatter) -> str:
    """Since when the customer waits for a reply, and who owes it; empty where nobody does."""
    wrote_at = request.unanswered_since
    if wrote_at is None:
        return ""
    text = f"{request.customer.first_name} wrote {times.since(wrote_at)}."
    promise = next(
        (p for p in request.promises if not p.closed_at and p.kind == PromiseKind.ANSWER),
        None,
    )
    if promise is None:
        return f"{text} No reply yet."
    owner = roster.person(promise.owner_id).name
    if promise.due_at < times.now:
        return f"{text} Reply by {owner} overdue since {times.by(promise.due_at)}."
    return f"{text} Reply by {owner} due {times.by(promise.due_at)}."
