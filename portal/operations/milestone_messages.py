"""The message to the customer that an event leads to: at most one for each event."""

from portal.messaging.wording.holds import render_hold
from portal.messaging.wording.renderer import MessageRenderer, as_sentence
from portal.messaging.wording.third_parties import render_third_party
from portal.messaging.wording.visits import booked_with, render_offer, render_visit
from portal.models import (
    ActorKind,
    Event,
    EventKind,
    FollowUpState,
    MessageKind,
    NeedState,
    StageRun,
)
from portal.operations.outbox import Draft
from portal.operations.step import StepContext
from portal.rules.follow_up_schedule import FollowUpSchedule
from portal.rules.needs import item_title

EVENT_MESSAGE_KINDS = {
    EventKind.HELD: MessageKind.HOLD,
    EventKind.RESUMED: MessageKind.RESUMED,
    EventKind.CANCELLED: MessageKind.CANCELLED,
    EventKind.COMPLETED: MessageKind.COMPLETED,
    EventKind.DECLINED: MessageKind.DECLINED,
}
"""Events whose message is a template of the product, named as the message's kind."""

KINDS_WITH_REASON = (MessageKind.CANCELLED, MessageKind.DECLINED)
"""Messages that say why, by a template of their own: ``hold_because``."""

QUESTION_EVENTS = (EventKind.QUESTION_ASKED, EventKind.QUESTION_REMINDED)

ANNOUNCED_KINDS = frozenset(
    {
        EventKind.OPENED,
        EventKind.STAGE_REACHED,
        EventKind.QUESTION_ASKED,
        EventKind.QUESTION_REMINDED,
        EventKind.VISIT_REMINDED,
        EventKind.CORRECTION_ASKED,
        EventKind.NEED_ACCEPTED,
        *EVENT_MESSAGE_KINDS,
    }
)
"""The only events about which the customer may get a message."""


async def queue_milestone_messages(context: StepContext) -> None:
    """Queue the messages to the customer about these events.

    A milestone is sent when its stage is reached, a question when it is asked; where both would come
    at the same time, the question alone. What the customer did themselves is answered elsewhere. The first milestone announces the opening; without one, a
    message of its own does.
    """
    outbox, request, events = context.work.outbox, context.facts.request, context.events
    renderer = await context.work.renderer(request)
    announced = [
        event for event in events if _is_announced(event) and not _is_asked_at_once(context, event)
    ]
    for event in announced:
        message = render_event(renderer, event)
        if message is not None:
            kind, body, subject = message
            mailed = render_correction(renderer, event, in_full=True)
            mail_body = mailed[1] if mailed else ""
            await outbox.queue(request, Draft(kind, f"event:{event.id}", body, mail_body=mail_body, subject=subject, event_id=event.id, urgent=_is_urgent(renderer, event, kind)))  # fmt: skip
    opened = next((event for event in events if event.kind == EventKind.OPENED), None)
    if opened is not None and not announced:
        await outbox.queue(request, Draft(MessageKind.LINK, f"event:{opened.id}", renderer.say("link"), event_id=opened.id))  # fmt: skip


def _is_announced(event: Event) -> bool:
    if event.kind in (EventKind.STAGE_REACHED, EventKind.NEED_ACCEPTED):
        return bool(event.data.get("told"))
    if event.kind in (*QUESTION_EVENTS, EventKind.VISIT_REMINDED, EventKind.CORRECTION_ASKED):
        return True
    return event.kind in EVENT_MESSAGE_KINDS and event.actor_kind != ActorKind.CUSTOMER


def _is_asked_at_once(context: StepContext, event: Event) -> bool:
    """Whether the stage that was reached is done already, and the customer is asked about it now."""
    facts, run = context.facts, event.run
    is_done = event.kind == EventKind.STAGE_REACHED and run is not None and not run.is_open
    if not is_done or not facts.request.customer.takes_questions:
        return False
    schedule = FollowUpSchedule(facts)
    return any(
        question.run is run
        and question.state == FollowUpState.PLANNED
        and question.next_at is not None
        and schedule.ask_at(question) <= facts.now
        and schedule.blocked_until(question) is None
        for question in facts.request.follow_ups
    )


def render_event(renderer: MessageRenderer, event: Event) -> tuple[MessageKind, str, str] | None:
    """The kind, the body, and the subject of an e-mail; None where the question is gone."""
    run = event.run
    if event.kind == EventKind.OPENED:
        return MessageKind.LINK, renderer.say("link"), ""
    item = render_correction(renderer, event)
    if event.kind == EventKind.NEED_ACCEPTED and run is not None:
        item = _accepted(renderer, run)
    if item is not None or event.kind in (EventKind.CORRECTION_ASKED, EventKind.NEED_ACCEPTED):
        return item
    if event.kind == EventKind.STAGE_REACHED and run is not None:
        visit, again = booked_with(renderer, run), bool(event.data.get("again"))
        body = render_visit(renderer, visit, "visit_booked") if visit else ""
        body = body or renderer.milestone(run, again=again)
        return MessageKind.MILESTONE, body, _title(renderer, run)
    if event.kind in QUESTION_EVENTS:
        return _question(renderer, event)
    if event.kind == EventKind.VISIT_REMINDED:
        return _visit_reminder(renderer)
    kind = EVENT_MESSAGE_KINDS[event.kind]
    return kind, _render_turn(renderer, event, kind), ""


def _visit_reminder(renderer: MessageRenderer) -> tuple[MessageKind, str, str] | None:
    visit = renderer.request.booked_visit
    return (
        (MessageKind.VISIT, render_visit(renderer, visit, "visit_tomorrow"), "") if visit else None
    )


def _render_turn(renderer: MessageRenderer, event: Event, kind: MessageKind) -> str:
    """A hold, its end, or the end of the request; with the reason where it fits into one text."""
    run = renderer.current_run()
    if event.kind == EventKind.CANCELLED and event.actor_kind == ActorKind.CUSTOMER:
        text = renderer.say("withdrawn")
    elif renderer.request.closed_unconfirmed:
        text = renderer.say_ending("unconfirmed")
    elif kind == MessageKind.CANCELLED and renderer.outcome():
        text = renderer.say_ending("cancelled")
    elif kind == MessageKind.HOLD and run is not None and run.held_at is not None:
        text = render_hold(renderer, run)
    elif kind == MessageKind.RESUMED and run is not None and run.waits_on_third_party:
        text = render_third_party(renderer, run)
    elif kind == MessageKind.RESUMED and run is not None and run.waits_on_customer:
        text = renderer.say("resumed_waiting", run)
    else:
        text = _with_reason(renderer, event, kind)
    return text


def _with_reason(renderer: MessageRenderer, event: Event, kind: MessageKind) -> str:
    text, reason = renderer.say(kind.value), as_sentence(str(event.data.get("reason") or ""))
    if not reason or kind not in KINDS_WITH_REASON:
        return text
    return renderer.first_that_fits(
        renderer.say(f"{kind.value}_because", None, reason=reason), text
    )


def render_correction(
    renderer: MessageRenderer, event: Event, *, in_full: bool = False
) -> tuple[MessageKind, str, str] | None:
    """The message about what is to be corrected; None for an event about something else.

    ``in_full``: with the whole reason, as a mail has room for it.
    """
    request, run = renderer.request, event.run
    if event.kind == EventKind.CORRECTION_ASKED:
        need = next((each for each in request.needs if each.id == event.data.get("need_id")), None)
        if need is None or not need.reason:
            return None
        item = item_title(request, need, request.customer.locale)
        body = renderer.correction(need.reason, need.asked_by_id, item, in_full=in_full)
    elif event.kind == EventKind.STAGE_REACHED and run is not None and run.correction:
        item = _corrected_item(renderer, run)
        body = renderer.correction(run.correction, run.correction_by_id, in_full=in_full)
    else:
        return None
    return MessageKind.MILESTONE, body, renderer.say("correction_subject", None, item=item)


def _corrected_item(renderer: MessageRenderer, run: StageRun) -> str:
    """What is to be corrected where a stage runs again: its only item, else the stage."""
    stage = renderer.request.definition.stage(run.stage_key)
    if len(stage.needs) == 1:
        return stage.needs[0].title.in_language(renderer.request.customer.locale)
    return _title(renderer, run)


def _accepted(renderer: MessageRenderer, run: StageRun) -> tuple[MessageKind, str, str]:
    """What the stage has of the customer, and what is next."""
    request = renderer.request
    titles = [
        item_title(request, need, request.customer.locale)
        for need in request.needs
        if need.stage_key == run.stage_key and need.state == NeedState.ACCEPTED
    ]
    items = renderer.times.listing(tuple(titles))
    template = "item_accepted" if renderer.has_next(run) else "item_accepted_last"
    return MessageKind.MILESTONE, renderer.say(template, run, item=items), items


def _question(renderer: MessageRenderer, event: Event) -> tuple[MessageKind, str, str] | None:
    key = event.data["key"]
    follow_ups = reversed(renderer.request.follow_ups)
    follow_up = next((question for question in follow_ups if question.key == key), None)
    is_wanted = renderer.request.customer.takes_questions
    if follow_up is None or not (follow_up.during_stage or is_wanted):
        return None  # The page alone asks a customer who wants no questions.
    question = renderer.question(follow_up)
    if follow_up.offered:
        is_first = event.kind == EventKind.QUESTION_ASKED
        template = "visit_question" if is_first else "visit_question_again"
        if event.data.get("was_at"):
            template = "visit_cancelled"  # The visit that was booked is off.
        kind = MessageKind.FOLLOW_UP if is_first else MessageKind.REMINDER
        return kind, render_offer(renderer, follow_up, template), question
    if event.kind == EventKind.QUESTION_ASKED:
        kind, body = (
            MessageKind.FOLLOW_UP,
            renderer.say("follow_up", follow_up.run, question=question),
        )
    else:
        kind, body = (
            MessageKind.REMINDER,
            renderer.say("follow_up_again", follow_up.run, question=question),
        )
    return kind, body, question


def _is_urgent(renderer: MessageRenderer, event: Event, kind: MessageKind) -> bool:
    """The milestone and the question of an urgent stage go at any hour."""
    if event.stage_key is None:
        return False
    stage = renderer.request.definition.stage(event.stage_key)
    if kind == MessageKind.FOLLOW_UP and stage.question is not None:
        return stage.urgent and event.data["key"] == stage.question.key
    return stage.urgent and kind == MessageKind.MILESTONE


def _title(renderer: MessageRenderer, run: StageRun) -> str:
    stage = renderer.request.definition.stage(run.stage_key)
    return stage.title.in_language(renderer.request.customer.locale)
