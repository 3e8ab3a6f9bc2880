"""The actions of a request at the desk: the form of each, and the transaction that runs it."""

import re

from starlette.datastructures import FormData
from starlette.requests import Request

from portal import operations
from portal.desk.auth.access import read_number
from portal.desk.auth.current_staff import CurrentStaff
from portal.desk.request.action_form import Action, ActionForm
from portal.desk.request.promises import parse_promise, read_agreed_time
from portal.desk.request.third_parties import read_report_form
from portal.desk.request.visits import VISIT_ACTIONS
from portal.errors import BadInput, Conflict, NotFound
from portal.messaging.wording.signatures import without_signature
from portal.models import Channel, ContactChannel, ContactReason, ServiceRequest
from portal.models.columns import saved_id
from portal.operations import Operations, UnitOfWork
from portal.operations.transitions import check_text
from portal.queries.conversations import find_staff_reply_after, get_message

NOT_A_PROMISE = "It was no commitment."
REFERENCE_PATTERN = re.compile(r"[A-Za-z0-9-]{1,32}")
ITEM_ACTION_PATTERN = re.compile(
    r"(?P<what>promises|messages|needs)/(?P<id>[0-9]{1,18})/(?P<verb>[a-z]+)"
)


async def perform_action(
    operations: Operations, reader: CurrentStaff, reference: str, verb: str, form: FormData
) -> ServiceRequest:
    """Run one action in one transaction, as this reader; gives the request as it is committed.

    Raises what the action raises, NotAllowed for another department's work, and NotFound for an
    unknown action or request.
    """
    action, item_id = find_action(verb)
    typed = ActionForm(form, item_id)
    version = read_number(typed["version"], "version") if action.versioned else None
    async with operations.begin(reader.staff.actor) as uow:
        request = await uow.lock(reference, version)
        await action.handler(uow, request, typed)
    return request


def find_action(verb: str) -> tuple[Action, int]:
    """The action of that path, with the id of its promise or message. Raises NotFound."""
    item = ITEM_ACTION_PATTERN.fullmatch(verb)
    name, item_id = (f"{item['what']}/{item['verb']}", int(item["id"])) if item else (verb, 0)
    if name not in ACTIONS or (name in ITEM_ACTIONS) != bool(item):
        raise NotFound("There is nothing of that name to do.")
    return ACTIONS[name], item_id


def reference_of(request: Request) -> str:
    """The reference in the URL. Raises NotFound for what is none by its form."""
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
        fields=typed.question_fields,
    )  # fmt: skip


async def _accept(uow: UnitOfWork, request: ServiceRequest, typed: ActionForm) -> None:
    await operations.accept(uow, request, stage=typed.stage)


async def _refuse(uow: UnitOfWork, request: ServiceRequest, typed: ActionForm) -> None:
    await operations.refuse(uow, request, reason=typed["reason"], stage=typed.stage)


async def _recall(uow: UnitOfWork, request: ServiceRequest, typed: ActionForm) -> None:
    await operations.recall(uow, request, stage=typed.stage)


async def _send_back(uow: UnitOfWork, request: ServiceRequest, typed: ActionForm) -> None:
    await operations.send_back(
        uow, request, stage=typed["stage"], reason=typed["reason"], fields=typed.question_fields
    )


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


async def _set_customer_note(uow: UnitOfWork, request: ServiceRequest, typed: ActionForm) -> None:
    await operations.set_customer_note(uow, request, typed["text"])


async def _record_third_party(uow: UnitOfWork, request: ServiceRequest, typed: ActionForm) -> None:
    report = read_report_form(typed.form, typed.optional_time("at"))
    await operations.record_third_party_event(uow, request, report, stage=typed.stage)


async def _cancel(uow: UnitOfWork, request: ServiceRequest, typed: ActionForm) -> None:
    await operations.cancel(uow, request, reason=typed["reason"])


async def _reopen(uow: UnitOfWork, request: ServiceRequest, typed: ActionForm) -> None:
    await operations.reopen(
        uow, request, reason=typed["reason"], stage=typed.stage, fields=typed.question_fields
    )


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
        raise BadInput("Please choose a channel and a reason.") from None
    await operations.log_contact(uow, request, channel=channel, reason=reason, note=typed["note"])


async def _write(uow: UnitOfWork, request: ServiceRequest, typed: ActionForm) -> None:
    await _must_be_first(uow, request, typed)
    if typed["channel"] not in ("", Channel.SMS, Channel.EMAIL):
        raise BadInput("Please choose a channel.")
    await operations.write_to_customer(
        uow, request, typed["body"], urgent=bool(typed["urgent"]),
        channels=[Channel(typed["channel"])] if typed["channel"] else (),
    )  # fmt: skip


async def _must_be_first(uow: UnitOfWork, request: ServiceRequest, typed: ActionForm) -> None:
    """Raises Conflict where a colleague has replied since the page was loaded.

    The page then shows both texts, and the reply can be sent from it.
    """
    if not typed["seen"].isdecimal():
        return
    answer = await find_staff_reply_after(uow.session, saved_id(request), int(typed["seen"][:18]))
    if answer is not None:
        mine = answer.author_id is not None and answer.author_id == uow.actor.staff_id
        words = without_signature(answer.body, uow.settings.brand, answer.author)
        raise Conflict(
            f"{'You have' if mine else f'{answer.author} has'} answered since you opened this: "
            f"“{words}” Your reply is not sent. Send it as well, if it is still needed."
        )


async def _relabel(uow: UnitOfWork, request: ServiceRequest, typed: ActionForm) -> None:
    message = await get_message(uow.session, typed.about)
    await operations.correct_intent(uow, request, message, typed["label"])


async def _record_consent(uow: UnitOfWork, request: ServiceRequest, typed: ActionForm) -> None:
    wish, about = typed["wish"], typed["about"]
    if wish in operations.WISH_BUTTONS:
        await operations.set_wishes(uow, request, **operations.WISH_BUTTONS[wish])
        return
    is_known = wish in ("stop", "start") and about in ("request", "all")
    if not is_known or typed["channel"] not in list(Channel):
        raise BadInput("Please use one of the buttons.")
    await operations.record_spoken_consent(
        uow, request, channel=Channel(typed["channel"]), stop=wish == "stop",
        about="all" if about == "all" else "request", note=typed["note"],
    )  # fmt: skip


async def _accept_item(uow: UnitOfWork, request: ServiceRequest, typed: ActionForm) -> None:
    await operations.accept_item(uow, request, _item_key(request, typed))


async def _ask_correction(uow: UnitOfWork, request: ServiceRequest, typed: ActionForm) -> None:
    key = _item_key(request, typed)
    await operations.ask_correction(uow, request, key, reason=typed["reason"])


async def _mark_sent(uow: UnitOfWork, request: ServiceRequest, typed: ActionForm) -> None:
    await operations.mark_sent(uow, request, _item_key(request, typed))


def _item_key(request: ServiceRequest, typed: ActionForm) -> str:
    """The key of the item that the form is about; the operation refuses an unknown one."""
    keys = (need.key for need in request.needs if need.id == typed.about)
    return next(keys, str(typed.about))


async def _revoke_link(uow: UnitOfWork, request: ServiceRequest, _: ActionForm) -> None:
    await operations.revoke_link(uow, request)


async def _replace_link(uow: UnitOfWork, request: ServiceRequest, _: ActionForm) -> None:
    await operations.replace_link(uow, request)


ITEM_ACTIONS = (
    "promises/keep", "promises/move", "promises/withdraw", "messages/meaning",
    "needs/accept", "needs/correct", "needs/sent",
)  # fmt: skip
ACTIONS: dict[str, Action] = {
    "advance": Action(_advance, "Completed. The status page is updated."),
    "handoff/accept": Action(_accept, "Accepted. The status page is updated."),
    "handoff/refuse": Action(_refuse, "Returned, with your reason."),
    "handoff/recall": Action(_recall, "Handoff recalled. Nobody was notified."),
    "minds": Action(_set_customer_note, "Saved, for colleagues only.", versioned=False),
    "third-party": Action(
        _record_third_party, "Saved. The status page is updated.", versioned=False
    ),
    "send-back": Action(_send_back, "Returned to the previous step, with your reason."),
    "hold": Action(_hold, "On hold (SLA paused)."),
    "delay": Action(_delay, "Saved. The customer is notified of the new date and the reason."),
    "resume": Action(_resume, "Resumed. The due date has moved by the time on hold."),
    "assign": Action(_assign, "Reassigned."),
    "cancel": Action(_cancel, "Cancelled."),
    "reopen": Action(_reopen, "Reopened."),
    "promises": Action(_promise, "Commitment saved. The customer sees it.", versioned=False),
    "promises/keep": Action(_keep, "Commitment done.", versioned=False),
    "promises/move": Action(
        _move, "Rescheduled. A customer who knows of it is notified of the reason.", versioned=False
    ),
    "promises/withdraw": Action(_withdraw, "Withdrawn: it was no commitment.", versioned=False),
    "needs/accept": Action(_accept_item, "Accepted. The customer sees it.", versioned=False),
    "needs/correct": Action(
        _ask_correction, "The customer is asked to correct it.", versioned=False
    ),
    "needs/sent": Action(_mark_sent, "Saved. The customer sees that it is here.", versioned=False),
    "contacts": Action(_log_contact, "Saved.", versioned=False),
    "messages": Action(
        _write, "Saved. The conversation shows when it is sent and delivered.", versioned=False
    ),
    "messages/meaning": Action(_relabel, "Intent corrected.", versioned=False),
    "wishes": Action(_record_consent, "Saved.", versioned=False),
    **VISIT_ACTIONS,
    "link/revoke": Action(_revoke_link, "Link revoked.", versioned=False),
    "link/reissue": Action(_replace_link, "A new link is on its way.", versioned=False),
}
