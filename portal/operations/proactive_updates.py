"""The customer hears first: a delay before the old date passes, and that we are still on it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlmodel import col, select

from portal.errors import BadInput
from portal.messaging.wording.renderer import Teller
from portal.models import (
    Event,
    EventKind,
    MessageKind,
    Promise,
    PromiseKind,
    ServiceRequest,
    StageRun,
)
from portal.operations.promises import answer_owed
from portal.operations.transitions import check_words
from portal.operations.unit_of_work import Turn
from portal.rules.proactive_updates import (
    A_NEW_DATE,
    MOST_GUESSES,
    News,
    believed_date,
    keep_dates_owed,
    tellings,
)

LONGEST_DELAY_REASON = 500
LONGEST_LAST_WORD = 60
"""Letters of a last word that go into a text; all of it stands on the page."""


async def tell_in_time(turn: Turn, request: ServiceRequest) -> None:
    """Tell the customer what they must hear by now, in one message; done twice, it tells once.

    Several stages that are late at the same time are one piece of news; a delay is also a sign
    that we are still on it.
    """
    manners, roster = turn.manners(request), await turn.roster(request)
    due = [one for one in tellings(request, roster, manners) if one.at <= turn.now]
    late = [one.run for one in due if one.news == News.DELAY]
    if late:
        await _tell_delays(turn, request, late)
    elif due:
        await _tell_still_on_it(turn, request, due[0].run)
    else:
        await turn.settle(request)


async def tell_delay(
    turn: Turn,
    request: ServiceRequest,
    *,
    expected_by: datetime,
    reason: str,
    stage: str | None = None,
) -> StageRun:
    """A person gives the open stage a new date and says why; the customer is told both.

    From now on the stage is late by that date, and Kept may tell a delay by itself again. An
    answer that Kept had promised because of the delay is given by it.
    """
    request.must_be_open()
    run = request.get_open_run(stage)
    reason = check_words("reason", reason)
    if len(reason) > LONGEST_DELAY_REASON:
        raise BadInput(
            f"Please keep the reason under {LONGEST_DELAY_REASON} letters.",
            fields={"reason": f"at most {LONGEST_DELAY_REASON} letters"},
        )
    if expected_by <= turn.now:
        raise BadInput("The new date has passed already.", fields={"expected_by": "a time to come"})
    sooner = expected_by < run.due_at
    grace = request.definition.stage(run.stage_key).grace
    department = (await turn.roster(request)).department_by_id(run.department_id)
    run.expect_by(expected_by, grace, department, turn.now)
    run.delays_told, run.delay_reason = 0, "" if sooner else _sentence(reason)
    event = request.record(
        EventKind.EXPECTED, turn.actor, turn.now, run=run,
        stage=run.stage_key, due_at=expected_by.isoformat(), reason=reason,
    )  # fmt: skip
    keep_dates_owed(request, turn.actor, turn.now)
    await turn.settle(request)
    teller = await _at_arrival(turn, request)
    words = "sooner" if sooner else "delay_because"
    body = teller.say(words, run, reason=run.delay_reason)
    await _tell(turn, request, MessageKind.DELAY, event, body)
    return run


def own_reason(teller: Teller, run: StageRun) -> str:
    """Why a stage takes longer, in plain words: its workflow's own, else ours."""
    stage = teller.request.definition.stage(run.stage_key)
    if teller.request.waiting_handoff(run):
        return teller.say("reason_passed", run)
    if stage.delay is not None:
        return teller.put(stage.delay.in_language(teller.request.customer.locale), run)
    return teller.say("reason", run)


async def _tell_delays(turn: Turn, request: ServiceRequest, runs: Sequence[StageRun]) -> None:
    """New dates for these; where ours have not held, a person's word instead of another guess."""
    teller = await _at_arrival(turn, request)
    given_up = [run for run in runs if run.delays_told + 1 >= MOST_GUESSES]
    for run in runs:
        run.delay_reason = own_reason(teller, run)
        if run not in given_up:
            run.due_at = await believed(turn, request, run)
        run.delays_told += 1
    events = [
        request.record(
            EventKind.DELAYED, turn.actor, turn.now, run=run, moves=False,
            stage=run.stage_key, reason=run.delay_reason,
            due_at=None if run in given_up else run.due_at.isoformat(),
        )
        for run in runs
    ]  # fmt: skip
    # One message for all of them: of the word that is owed, else of the latest date.
    run = max(given_up or runs, key=lambda one: one.due_at)
    promise = await _promise_word(turn, request, run) if given_up else None
    await turn.settle(request)
    teller = await _at_arrival(turn, request)
    body = await _of_word(turn, teller, run, promise) if promise else _of_delay(teller, run)
    await _tell(turn, request, MessageKind.DELAY, events[runs.index(run)], body)


async def believed(turn: Turn, request: ServiceRequest, run: StageRun) -> datetime:
    """The new date that we should give, for a customer who hears of it as soon as may be."""
    manners = turn.manners(request)
    return believed_date(
        run,
        request.definition.stage(run.stage_key),
        (await turn.roster(request)).department_by_id(run.department_id),
        pace=(await turn.paces(request)).of(run.stage_key),
        now=manners.awake(turn.now),
        manners=manners,
    )


async def _promise_word(turn: Turn, request: ServiceRequest, run: StageRun) -> Promise:
    """A new date by the lead of the department that has to do it.

    An answer that is promised already, for a time to come, will say it too.
    """
    standing = answer_owed(request)
    if standing is not None and standing.due_at > turn.now:
        return standing
    roster = await turn.roster(request)
    department = roster.department_by_id(run.department_id)
    promise = Promise(
        kind=PromiseKind.ANSWER,
        text=f"{department.name} {A_NEW_DATE}",
        owner_id=roster.lead_of(department) or request.owner_id,
        department_id=run.department_id,
        made_at=turn.now,
        due_at=department.reply_by(turn.now),
    )
    request.promises.append(promise)
    await turn.session.flush()
    request.record(
        EventKind.PROMISE_MADE, turn.actor, turn.now, moves=False,
        promise_id=promise.id, text=promise.text, due_at=promise.due_at.isoformat(),
    )  # fmt: skip
    return promise


async def _of_word(turn: Turn, teller: Teller, run: StageRun, promise: Promise) -> str:
    person = (await turn.roster(teller.request)).person(promise.owner_id)
    due = teller.times.by(promise.due_at)
    return teller.say("delay_person", run, owner=person.name.split()[0], due=due)


def _of_delay(teller: Teller, run: StageRun) -> str:
    if teller.request.waiting_handoff(run):
        return teller.say("delay_passed", run)
    if teller.request.definition.stage(run.stage_key).delay is not None:
        return teller.say("delay_because", run, reason=run.delay_reason)
    return teller.say("delay", run)


async def _tell_still_on_it(turn: Turn, request: ServiceRequest, run: StageRun) -> None:
    """Nothing new, and yet something true: who has it, what was last done, by when."""
    event = request.record(
        EventKind.STILL_ON_IT, turn.actor, turn.now, run=run, visible=False, moves=False
    )
    await turn.settle(request)
    teller = await _at_arrival(turn, request)
    body = _of_work(teller, run, await _last_word(turn, request, run))
    await _tell(turn, request, MessageKind.UPDATE, event, body)


def _of_work(teller: Teller, run: StageRun, last: str) -> str:
    handoff, more = teller.request.waiting_handoff(run), dict[str, str]()
    if run.held_at is not None:
        name, more["reason"] = "update_hold", _sentence(run.hold_reason)
        if run.hold_until is not None:
            name, more["due"] = "update_hold_until", teller.times.day(run.hold_until)
    elif run.waits_on_customer:
        name = "update_waiting"
    elif handoff is not None and handoff.accept_by is not None and handoff.accept_by > teller.now:
        name, more["due"] = "status_passed", teller.times.by(handoff.accept_by)
    elif handoff is not None:
        name = "update_passed"
    elif run.due_at <= teller.now or run.delays_told >= MOST_GUESSES:
        name = "update_open"
    elif last:
        name, more["last"] = "update_said", last
    else:
        name = "update"
    return teller.say(name, run, **more)


async def _last_word(turn: Turn, request: ServiceRequest, run: StageRun) -> str:
    """What was last said of the work: by whoever carries it, else in our own note."""
    query = (
        select(Event)
        .where(
            col(Event.request_id) == request.id,
            col(Event.run_id) == run.id,
            col(Event.kind) == EventKind.THIRD_PARTY_HEARD,
        )
        .order_by(col(Event.id).desc())
        .limit(1)
    )
    heard = (await turn.session.exec(query)).first()
    said = "{from}: {words}".format(**heard.data) if heard else run.note
    if len(said) > LONGEST_LAST_WORD:
        said = f"{said[:LONGEST_LAST_WORD].rpartition(' ')[0]}..."
    return _sentence(said) if said else ""


async def _at_arrival(turn: Turn, request: ServiceRequest) -> Teller:
    """Words as they are true when they arrive, which may be the morning after."""
    teller = await turn.teller(request)
    return replace(teller, now=turn.manners(request).awake(turn.now))


async def _tell(
    turn: Turn, request: ServiceRequest, kind: MessageKind, event: Event, body: str
) -> None:
    urgent = request.definition.stage(event.stage_key or "").urgent
    await turn.outbox.tell(
        request, kind, f"event:{event.id}", body, event_id=event.id, urgent=urgent
    )
    # Said, or not to be said (they want no messages): either way it is not due any more.
    request.told_at = turn.now
    await turn.plan_telling(request)
    await turn.session.flush()


def _sentence(words: str) -> str:
    words = words.strip()
    return words if words.endswith((".", "!", "?", "...")) else f"{words}."
