"""The message to the customer that an event leads to: at most one for each event."""

from portal.messaging.wording.renderer import MessageRenderer
from portal.models import ActorKind, Event, EventKind, MessageKind, StageRun
from portal.operations.outbox import Draft
from portal.operations.step import StepContext

EVENT_MESSAGE_KINDS = {
    EventKind.HELD: MessageKind.HOLD,
    EventKind.RESUMED: MessageKind.RESUMED,
    EventKind.CANCELLED: MessageKind.CANCELLED,
    EventKind.COMPLETED: MessageKind.COMPLETED,
    EventKind.DECLINED: MessageKind.DECLINED,
}
"""Events whose message is a template of the product, named as the message's kind."""

QUESTION_EVENTS = (EventKind.QUESTION_ASKED, EventKind.QUESTION_REMINDED)

ANNOUNCED_KINDS = frozenset(
    {
        EventKind.OPENED,
        EventKind.STAGE_REACHED,
        EventKind.QUESTION_ASKED,
        EventKind.QUESTION_REMINDED,
        *EVENT_MESSAGE_KINDS,
    }
)
"""The only events about which the customer may get a message."""


async def queue_milestone_messages(context: StepContext) -> None:
    """Queue the messages to the customer about these events.

    A milestone is sent when its stage is reached, a question when it is asked. What the customer
    did themselves is answered elsewhere. The first milestone announces the opening; without one, a
    message of its own does.
    """
    outbox, request, events = context.work.outbox, context.facts.request, context.events
    renderer = await context.work.renderer(request)
    announced = [event for event in events if _is_announced(event)]
    for event in announced:
        message = render_event(renderer, event)
        if message is not None:
            kind, body, subject = message
            await outbox.queue(request, Draft(kind, f"event:{event.id}", body, subject=subject, event_id=event.id, urgent=_is_urgent(renderer, event, kind)))  # fmt: skip
    opened = next((event for event in events if event.kind == EventKind.OPENED), None)
    if opened is not None and not announced:
        await outbox.queue(request, Draft(MessageKind.LINK, f"event:{opened.id}", renderer.say("link"), event_id=opened.id))  # fmt: skip


def _is_announced(event: Event) -> bool:
    if event.kind == EventKind.STAGE_REACHED:
        return bool(event.data.get("told"))
    if event.kind in QUESTION_EVENTS:
        return True
    return event.kind in EVENT_MESSAGE_KINDS and event.actor_kind != ActorKind.CUSTOMER


def render_event(renderer: MessageRenderer, event: Event) -> tuple[MessageKind, str, str] | None:
    """The kind, the body, and the subject of an e-mail; None where the question is gone."""
    run = event.run
    if event.kind == EventKind.OPENED:
        return MessageKind.LINK, renderer.say("link"), ""
    if event.kind == EventKind.STAGE_REACHED and run is not None:
        again = bool(event.data.get("again"))
        return MessageKind.MILESTONE, renderer.milestone(run, again=again), _title(renderer, run)
    if event.kind in QUESTION_EVENTS:
        return _question(renderer, event)
    kind = EVENT_MESSAGE_KINDS[event.kind]
    name = "unconfirmed" if renderer.request.closed_unconfirmed else kind.value
    if event.kind == EventKind.CANCELLED and event.actor_kind == ActorKind.CUSTOMER:
        name = "withdrawn"
    return kind, renderer.say(name), ""


def _question(renderer: MessageRenderer, event: Event) -> tuple[MessageKind, str, str] | None:
    key = event.data["key"]
    follow_ups = reversed(renderer.request.follow_ups)
    follow_up = next((question for question in follow_ups if question.key == key), None)
    is_wanted = renderer.request.customer.takes_questions
    if follow_up is None or not (follow_up.during_stage or is_wanted):
        return None  # The page alone asks a customer who wants no questions.
    question = renderer.question(follow_up)
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
