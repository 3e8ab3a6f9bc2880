"""What can be done to a request from the desk: each verb's form, and the one turn that does it."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from starlette.datastructures import FormData
from starlette.requests import Request

from portal import operations
from portal.business_time import find_zone
from portal.desk.auth.access import field, read_number
from portal.desk.auth.current_staff import CurrentStaff
from portal.desk.labels import parse_local_time
from portal.desk.request.promises import parse_promise, read_agreed_time
from portal.errors import BadInput, Conflict, NotFound
from portal.models import Channel, ContactChannel, ContactReason, ServiceRequest
from portal.models.columns import saved_id
from portal.operations import Operations, UnitOfWork
from portal.operations.transitions import check_text
from portal.queries.conversations import find_staff_reply_after, get_message

NOT_A_PROMISE = "It was no promise."
REFERENCE_PATTERN = re.compile(r"[A-Za-z0-9-]{1,32}")
ITEM_ACTION_PATTERN = re.compile(
    r"(?P<what>promises|messages)/(?P<id>[0-9]{1,18})/(?P<verb>[a-z]+)"
)


@dataclass(frozen=True, slots=True)
class ActionForm:
    """The fields of one form, read strictly; ``about`` is the promise or message it is about."""

    form: FormData
    about: int = 0

    def __getitem__(self, name: str) -> str:
        return field(self.form, name)

    @property
    def stage(self) -> str | None:
        """The stage that is meant, where the form names one."""
        return self["stage"] or None

    def required_time(self, name: str) -> datetime:
        """A time on the clocks of the zone that the form named. Raises BadInput."""
        required_time = self.optional_time(name)
        if required_time is None:
            raise BadInput("Please give a time.", fields={name: "a date and a time"})
        return required_time

    def optional_time(self, name: str) -> datetime | None:
        """The same, where a time may be left out."""
        if not self[name]:
            return None
        try:
            find_zone(self["zone"])
            return parse_local_time(self[name], self["zone"])
        except ValueError:
            raise BadInput(
                "Please give the time as a date and a time of day.",
                fields={name: "such as 2026-11-26T17:00"},
            ) from None


ActionHandler = Callable[[UnitOfWork, ServiceRequest, ActionForm], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Action:
    """One verb: what it does, what is said afterwards, and whether an old page may do it.

    What moves a request is refused from a page drawn before somebody else's move; words are not.
    """

    handler: ActionHandler
    said: str
    versioned: bool = True


async def perform_action(
    operations: Operations, reader: CurrentStaff, reference: str, verb: str, form: FormData
) -> None:
    """Do one verb in one turn, by this reader's hand.

    Raises what the verb refuses, NotAllowed included, and NotFound for an unknown verb or request.
    """
    act, about = find_action(verb)
    typed = ActionForm(form, about)
    version = read_number(typed["version"], "version") if act.versioned else None
    async with operations.begin(reader.staff.actor) as uow:
        await act.handler(uow, await uow.lock(reference, version), typed)


def find_action(verb: str) -> tuple[Action, int]:
    """The verb of that path, with the promise or message it is about. Raises NotFound."""
    one = ITEM_ACTION_PATTERN.fullmatch(verb)
    name, about = (f"{one['what']}/{one['verb']}", int(one["id"])) if one else (verb, 0)
    if name not in ACTIONS or (name in ITEM_ACTIONS) != bool(one):
        raise NotFound("There is nothing of that name to do.")
    return ACTIONS[name], about


def reference_of(request: Request) -> str:
    """The reference in the address. Raises NotFound for what could be none."""
    reference: str = request.path_params["reference"]
    if not REFERENCE_PATTERN.fullmatch(reference):
        raise NotFound("There is no such request. Search by name, phone or e-mail instead.")
    return reference


async def _advance(uow: UnitOfWork, request: ServiceRequest, typed: ActionForm) -> None:
    await operations.advance(
        uow, request, stage=typed.stage,
        note=check_text("note", typed["note"], required=False),
        expected_by=typed.optional_time("expected_by"),
        handover=check_text("handover", typed["handover"], required=False),
    )  # fmt: skip


async def _accept(uow: UnitOfWork, request: ServiceRequest, typed: ActionForm) -> None:
    await operations.accept(uow, request, stage=typed.stage)


async def _refuse(uow: UnitOfWork, request: ServiceRequest, typed: ActionForm) -> None:
    await operations.refuse(uow, request, reason=typed["reason"], stage=typed.stage)


async def _recall(uow: UnitOfWork, request: ServiceRequest, typed: ActionForm) -> None:
    await operations.recall(uow, request, stage=typed.stage)


async def _send_back(uow: UnitOfWork, request: ServiceRequest, typed: ActionForm) -> None:
    await operations.send_back(uow, request, stage=typed["stage"], reason=typed["reason"])


async def _hold(uow: UnitOfWork, request: ServiceRequest, typed: ActionForm) -> None:
    until = typed.optional_time("until")
    await operations.hold(uow, request, reason=typed["reason"], until=until, stage=typed.stage)


async def _delay(uow: UnitOfWork, request: ServiceRequest, typed: ActionForm) -> None:
    await operations.announce_delay(
        uow, request, stage=typed.stage, expected_by=typed.required_time("expected_by"),
        reason=typed["reason"],
    )  # fmt: skip


async def _resume(uow: UnitOfWork, request: ServiceRequest, typed: ActionForm) -> None:
    await operations.resume(uow, request, stage=typed.stage)


async def _assign(uow: UnitOfWork, request: ServiceRequest, typed: ActionForm) -> None:
    await operations.assign(
        uow, request, owner=typed["owner"], stage=typed.stage, note=typed["note"]
    )


async def _note_minds(uow: UnitOfWork, request: ServiceRequest, typed: ActionForm) -> None:
    await operations.set_customer_note(uow, request, typed["text"])


async def _hear(uow: UnitOfWork, request: ServiceRequest, typed: ActionForm) -> None:
    await operations.record_third_party_update(
        uow, request, words=typed["event"], stage=typed.stage, at=typed.optional_time("at"),
        tracking_number=typed["tracking_number"],
    )  # fmt: skip


async def _cancel(uow: UnitOfWork, request: ServiceRequest, typed: ActionForm) -> None:
    await operations.cancel(uow, request, reason=typed["reason"])


async def _reopen(uow: UnitOfWork, request: ServiceRequest, typed: ActionForm) -> None:
    await operations.reopen(uow, request, reason=typed["reason"], stage=typed.stage)


async def _promise(uow: UnitOfWork, request: ServiceRequest, typed: ActionForm) -> None:
    department = (await uow.roster(request)).department_by_id(request.department_id)
    due_at = typed.optional_time("due_at") or read_agreed_time(typed.form)
    said = parse_promise(typed["text"], department, uow.now)
    await operations.make_promise(uow, request, text=said.text, due_at=due_at, kind=said.kind)


async def _keep(uow: UnitOfWork, request: ServiceRequest, typed: ActionForm) -> None:
    await operations.keep_promise(uow, request, typed.about)


async def _move(uow: UnitOfWork, request: ServiceRequest, typed: ActionForm) -> None:
    await operations.move_promise(
        uow, request, typed.about, due_at=typed.required_time("due_at"), reason=typed["reason"]
    )


async def _withdraw(uow: UnitOfWork, request: ServiceRequest, typed: ActionForm) -> None:
    reason = typed["reason"] or NOT_A_PROMISE
    await operations.withdraw_promise(uow, request, typed.about, reason=reason)


async def _log_contact(uow: UnitOfWork, request: ServiceRequest, typed: ActionForm) -> None:
    try:
        channel, reason = ContactChannel(typed["channel"]), ContactReason(typed["reason"])
    except ValueError:
        raise BadInput("Please choose how they came and what it was about.") from None
    await operations.log_contact(uow, request, channel=channel, reason=reason, note=typed["note"])


async def _write(uow: UnitOfWork, request: ServiceRequest, typed: ActionForm) -> None:
    await _must_be_first(uow, request, typed)
    if typed["channel"] not in ("", Channel.SMS, Channel.EMAIL):
        raise BadInput("Please choose how it is to go.")
    await operations.write_to_customer(
        uow, request, typed["body"], urgent=bool(typed["urgent"]),
        channels=[Channel(typed["channel"])] if typed["channel"] else (),
    )  # fmt: skip


async def _must_be_first(uow: UnitOfWork, request: ServiceRequest, typed: ActionForm) -> None:
    """Raises Conflict where somebody has answered since the page was drawn: two would confuse.

    That it was drawn anew with both texts is all that is asked for: then it may be sent.
    """
    if not typed["seen"].isdecimal():
        return
    answer = await find_staff_reply_after(uow.session, saved_id(request), int(typed["seen"][:18]))
    if answer is not None:
        mine = answer.author_id is not None and answer.author_id == uow.actor.staff_id
        raise Conflict(
            f"{'You have' if mine else f'{answer.author} has'} answered since you opened this: "
            f"“{answer.body}” Yours has not gone. Send it as well, if it is still needed."
        )


async def _relabel(uow: UnitOfWork, request: ServiceRequest, typed: ActionForm) -> None:
    message = await get_message(uow.session, typed.about)
    await operations.correct_intent(uow, request, message, typed["label"])


async def _wish(uow: UnitOfWork, request: ServiceRequest, typed: ActionForm) -> None:
    wish, about = typed["wish"], typed["about"]
    if wish not in ("stop", "start") or about not in ("request", "all"):
        raise BadInput("Please use one of the buttons.")
    try:
        channel = Channel(typed["channel"])
    except ValueError:
        raise BadInput("Please use one of the buttons.") from None
    await operations.record_spoken_consent(
        uow, request, channel=channel, stop=wish == "stop",
        about="all" if about == "all" else "request", note=typed["note"],
    )  # fmt: skip


async def _revoke_link(uow: UnitOfWork, request: ServiceRequest, _: ActionForm) -> None:
    await operations.revoke_link(uow, request)


async def _replace_link(uow: UnitOfWork, request: ServiceRequest, _: ActionForm) -> None:
    await operations.replace_link(uow, request)


ITEM_ACTIONS = ("promises/keep", "promises/move", "promises/withdraw", "messages/meaning")
ACTIONS: dict[str, Action] = {
    "advance": Action(_advance, "Done. The customer's page shows it already."),
    "handoff/accept": Action(_accept, "It is yours now. The customer's page says so."),
    "handoff/refuse": Action(_refuse, "Given back, with your reason."),
    "handoff/recall": Action(_recall, "It is back with you. Nobody was told anything."),
    "minds": Action(_note_minds, "Noted, for colleagues only.", versioned=False),
    "third-party": Action(_hear, "Noted. The customer's page shows it already.", versioned=False),
    "send-back": Action(_send_back, "Sent back, with your reason."),
    "hold": Action(_hold, "On hold. Its clock stands still."),
    "delay": Action(_delay, "The new date stands. The customer is being told it, and why."),
    "resume": Action(_resume, "It goes on. Its due time has moved by what was lost."),
    "assign": Action(_assign, "It has a new owner."),
    "cancel": Action(_cancel, "Cancelled."),
    "reopen": Action(_reopen, "Open again."),
    "promises": Action(_promise, "Promised. The customer sees it.", versioned=False),
    "promises/keep": Action(_keep, "Promise kept.", versioned=False),
    "promises/move": Action(
        _move, "Moved. A customer who knows of it is told why.", versioned=False
    ),
    "promises/withdraw": Action(_withdraw, "Taken back: it was no promise.", versioned=False),
    "contacts": Action(_log_contact, "Recorded.", versioned=False),
    "messages": Action(
        _write,
        "Written. The conversation says when it goes and whether it arrived.",
        versioned=False,
    ),
    "messages/meaning": Action(_relabel, "Put right, and kept to learn from.", versioned=False),
    "wishes": Action(_wish, "Noted. It holds from this moment.", versioned=False),
    "link/revoke": Action(_revoke_link, "The link opens nothing any more.", versioned=False),
    "link/reissue": Action(_replace_link, "A new link is on its way.", versioned=False),
}
