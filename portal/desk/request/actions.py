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
from portal.desk.auth.current_staff import Reader
from portal.desk.labels import read_local
from portal.desk.request.promises import read_agreed, read_promise
from portal.errors import BadInput, Conflict, NotAllowed, NotFound
from portal.models import Channel, ContactChannel, ContactReason, ServiceRequest
from portal.operations import Relay, Turn
from portal.queries.conversations import answered_after, get_message

NOT_A_PROMISE = "It was no promise."
REFERENCE = re.compile(r"[A-Za-z0-9-]{1,32}")
ABOUT_ONE = re.compile(r"(?P<what>promises|messages)/(?P<id>[0-9]{1,18})/(?P<verb>[a-z]+)")


@dataclass(frozen=True, slots=True)
class Typed:
    """The fields of one form, read strictly; ``about`` is the promise or message it is about."""

    form: FormData
    about: int = 0

    def __getitem__(self, name: str) -> str:
        return field(self.form, name)

    @property
    def stage(self) -> str | None:
        """The stage that is meant, where the form names one."""
        return self["stage"] or None

    def moment(self, name: str) -> datetime:
        """A time on the clocks of the zone that the form named. Raises BadInput."""
        moment = self.moment_or_none(name)
        if moment is None:
            raise BadInput("Please give a time.", fields={name: "a date and a time"})
        return moment

    def moment_or_none(self, name: str) -> datetime | None:
        """The same, where a time may be left out."""
        if not self[name]:
            return None
        try:
            find_zone(self["zone"])
            return read_local(self[name], self["zone"])
        except ValueError:
            raise BadInput(
                "Please give the time as a date and a time of day.",
                fields={name: "such as 2026-11-26T17:00"},
            ) from None


Doing = Callable[[Turn, ServiceRequest, Typed], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Act:
    """One verb: what it does, what is said afterwards, and whether an old page may do it.

    What moves a request is refused from a page drawn before somebody else's move; words are not.
    """

    do: Doing
    said: str
    versioned: bool = True


async def perform(turns: Relay, reader: Reader, reference: str, verb: str, form: FormData) -> None:
    """Do one verb in one turn, by this reader's hand.

    Raises what the verb refuses, NotAllowed for another department's work, and NotFound for an
    unknown verb or request.
    """
    act, about = find_act(verb)
    typed = Typed(form, about)
    version = read_number(typed["version"], "version") if act.versioned else None
    async with turns.turn(reader.staff.actor) as turn:
        held = await turn.lock(reference, version)
        if not reader.may_act(held):
            raise NotAllowed("This request lies with other departments. You may read it.")
        await act.do(turn, held, typed)


def find_act(verb: str) -> tuple[Act, int]:
    """The verb of that path, with the promise or message it is about. Raises NotFound."""
    one = ABOUT_ONE.fullmatch(verb)
    name, about = (f"{one['what']}/{one['verb']}", int(one["id"])) if one else (verb, 0)
    if name not in ACTS or (name in ABOUT_ONE_ACTS) != bool(one):
        raise NotFound("There is nothing of that name to do.")
    return ACTS[name], about


def reference_of(request: Request) -> str:
    """The reference in the address. Raises NotFound for what could be none."""
    reference: str = request.path_params["reference"]
    if not REFERENCE.fullmatch(reference):
        raise NotFound("There is no such request. Search by name, phone or e-mail instead.")
    return reference


async def _advance(turn: Turn, request: ServiceRequest, typed: Typed) -> None:
    await operations.advance(
        turn, request, stage=typed.stage, note=typed["note"],
        expected_by=typed.moment_or_none("expected_by"), handover=typed["handover"],
    )  # fmt: skip


async def _accept(turn: Turn, request: ServiceRequest, typed: Typed) -> None:
    await operations.accept(turn, request, stage=typed.stage)


async def _refuse(turn: Turn, request: ServiceRequest, typed: Typed) -> None:
    await operations.refuse(turn, request, reason=typed["reason"], stage=typed.stage)


async def _recall(turn: Turn, request: ServiceRequest, typed: Typed) -> None:
    await operations.recall(turn, request, stage=typed.stage)


async def _send_back(turn: Turn, request: ServiceRequest, typed: Typed) -> None:
    await operations.send_back(turn, request, stage=typed["stage"], reason=typed["reason"])


async def _hold(turn: Turn, request: ServiceRequest, typed: Typed) -> None:
    until = typed.moment_or_none("until")
    await operations.hold(turn, request, reason=typed["reason"], until=until, stage=typed.stage)


async def _delay(turn: Turn, request: ServiceRequest, typed: Typed) -> None:
    await operations.tell_delay(
        turn, request, stage=typed.stage, expected_by=typed.moment("expected_by"),
        reason=typed["reason"],
    )  # fmt: skip


async def _resume(turn: Turn, request: ServiceRequest, typed: Typed) -> None:
    await operations.resume(turn, request, stage=typed.stage)


async def _assign(turn: Turn, request: ServiceRequest, typed: Typed) -> None:
    await operations.assign(
        turn, request, owner=typed["owner"], stage=typed.stage, note=typed["note"]
    )


async def _note_minds(turn: Turn, request: ServiceRequest, typed: Typed) -> None:
    await operations.note_minds(turn, request, typed["text"])


async def _hear(turn: Turn, request: ServiceRequest, typed: Typed) -> None:
    await operations.hear_from_third_party(
        turn, request, words=typed["event"], stage=typed.stage, at=typed.moment_or_none("at"),
        tracking_number=typed["tracking_number"],
    )  # fmt: skip


async def _cancel(turn: Turn, request: ServiceRequest, typed: Typed) -> None:
    await operations.cancel(turn, request, reason=typed["reason"])


async def _reopen(turn: Turn, request: ServiceRequest, typed: Typed) -> None:
    await operations.reopen(turn, request, reason=typed["reason"], stage=typed.stage)


async def _promise(turn: Turn, request: ServiceRequest, typed: Typed) -> None:
    department = (await turn.roster(request)).department_by_id(request.department_id)
    due_at = typed.moment_or_none("due_at") or read_agreed(typed.form)
    said = read_promise(typed["text"], department, turn.now)
    await operations.make_promise(turn, request, text=said.text, due_at=due_at, kind=said.kind)


async def _keep(turn: Turn, request: ServiceRequest, typed: Typed) -> None:
    await operations.keep_promise(turn, request, typed.about)


async def _move(turn: Turn, request: ServiceRequest, typed: Typed) -> None:
    await operations.move_promise(
        turn, request, typed.about, due_at=typed.moment("due_at"), reason=typed["reason"]
    )


async def _withdraw(turn: Turn, request: ServiceRequest, typed: Typed) -> None:
    reason = typed["reason"] or NOT_A_PROMISE
    await operations.withdraw_promise(turn, request, typed.about, reason=reason)


async def _log_contact(turn: Turn, request: ServiceRequest, typed: Typed) -> None:
    try:
        channel, reason = ContactChannel(typed["channel"]), ContactReason(typed["reason"])
    except ValueError:
        raise BadInput("Please choose how they came and what it was about.") from None
    await operations.log_contact(turn, request, channel=channel, reason=reason, note=typed["note"])


async def _write(turn: Turn, request: ServiceRequest, typed: Typed) -> None:
    await _must_be_first(turn, request, typed)
    if typed["channel"] not in ("", Channel.SMS, Channel.EMAIL):
        raise BadInput("Please choose how it is to go.")
    await operations.write_to_customer(
        turn, request, typed["body"], urgent=bool(typed["urgent"]),
        channels=[Channel(typed["channel"])] if typed["channel"] else (),
    )  # fmt: skip


async def _must_be_first(turn: Turn, request: ServiceRequest, typed: Typed) -> None:
    """Raises Conflict where somebody has answered since the page was drawn: two would confuse.

    That it was drawn anew with both texts is all that is asked for: then it may be sent.
    """
    if not typed["seen"].isdecimal():
        return
    answer = await answered_after(turn.session, request.id or 0, int(typed["seen"][:18]))
    if answer is not None:
        mine = answer.author_id is not None and answer.author_id == turn.actor.staff_id
        raise Conflict(
            f"{'You have' if mine else f'{answer.author} has'} answered since you opened this: "
            f"“{answer.body}” Yours has not gone. Send it as well, if it is still needed."
        )


async def _relabel(turn: Turn, request: ServiceRequest, typed: Typed) -> None:
    message = await get_message(turn.session, typed.about)
    await operations.relabel(turn, request, message, typed["label"])


async def _wish(turn: Turn, request: ServiceRequest, typed: Typed) -> None:
    wish, about = typed["wish"], typed["about"]
    if wish not in ("stop", "start") or about not in ("request", "all"):
        raise BadInput("Please use one of the buttons.")
    try:
        channel = Channel(typed["channel"])
    except ValueError:
        raise BadInput("Please use one of the buttons.") from None
    await operations.record_spoken_wish(
        turn, request, channel=channel, stop=wish == "stop",
        about="all" if about == "all" else "request", note=typed["note"],
    )  # fmt: skip


async def _revoke_link(turn: Turn, request: ServiceRequest, _: Typed) -> None:
    await operations.revoke_link(turn, request)


async def _replace_link(turn: Turn, request: ServiceRequest, _: Typed) -> None:
    await operations.replace_link(turn, request)


ABOUT_ONE_ACTS = ("promises/keep", "promises/move", "promises/withdraw", "messages/meaning")
ACTS: dict[str, Act] = {
    "advance": Act(_advance, "Done. The customer's page shows it already."),
    "handoff/accept": Act(_accept, "It is yours now. The customer's page says so."),
    "handoff/refuse": Act(_refuse, "Given back, with your reason."),
    "handoff/recall": Act(_recall, "It is back with you. Nobody was told anything."),
    "minds": Act(_note_minds, "Noted, for colleagues only.", versioned=False),
    "third-party": Act(_hear, "Noted. The customer's page shows it already.", versioned=False),
    "send-back": Act(_send_back, "Sent back, with your reason."),
    "hold": Act(_hold, "On hold. Its clock stands still."),
    "delay": Act(_delay, "The new date stands. The customer is being told it, and why."),
    "resume": Act(_resume, "It goes on. Its due time has moved by what was lost."),
    "assign": Act(_assign, "It has a new owner."),
    "cancel": Act(_cancel, "Cancelled."),
    "reopen": Act(_reopen, "Open again."),
    "promises": Act(_promise, "Promised. The customer sees it.", versioned=False),
    "promises/keep": Act(_keep, "Promise kept.", versioned=False),
    "promises/move": Act(_move, "Moved. A customer who knows of it is told why.", versioned=False),
    "promises/withdraw": Act(_withdraw, "Taken back: it was no promise.", versioned=False),
    "contacts": Act(_log_contact, "Recorded.", versioned=False),
    "messages": Act(
        _write,
        "Written. The conversation says when it goes and whether it arrived.",
        versioned=False,
    ),
    "messages/meaning": Act(_relabel, "Put right, and kept to learn from.", versioned=False),
    "wishes": Act(_wish, "Noted. It holds from this moment.", versioned=False),
    "link/revoke": Act(_revoke_link, "The link opens nothing any more.", versioned=False),
    "link/reissue": Act(_replace_link, "A new link is on its way.", versioned=False),
}
