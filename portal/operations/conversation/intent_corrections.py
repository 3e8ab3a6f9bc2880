"""A colleague says what a customer's words mean: kept, so that the corpus grows, and heeded."""

from portal.errors import BadInput
from portal.messaging.intents.classifier import Intent, IntentKind
from portal.models import Direction, EventKind, Message, ServiceRequest
from portal.models.columns import saved_id
from portal.operations.authorization import authorize
from portal.operations.conversation.intent_handlers import (
    handle_call_request,
    match_answer,
    send_status,
)
from portal.operations.follow_ups import answer
from portal.operations.unit_of_work import UnitOfWork
from portal.rules.authorization import Act


async def correct_intent(
    uow: UnitOfWork, request: ServiceRequest, message: Message, label: IntentKind | str
) -> None:
    """Keep the label and who chose it, and do what it asks where that is safe.

    A yes, a no or a time answers the question that is open, with the words; a wish for a call
    is promised; where it is, is told. Nothing else is closed by it, and chosen again it does
    nothing. Raises BadInput for an unknown label, or words that are not this customer's.
    """
    await authorize(uow, request, Act.CORRECT_INTENT)
    label = _read(label)
    if message.direction != Direction.IN or message.request_id != request.id:
        raise BadInput("Only what the customer wrote here has a meaning to correct.")
    if message.intent == label and message.intent_corrected_by:
        return
    was, message.intent, message.intent_corrected_by = message.intent, label, uow.actor.name
    uow.session.add(message)
    event = request.record(
        EventKind.INTENT_CORRECTED, uow.actor, uow.now, visible=False, bumps_version=False,
        message_id=message.id, label=label.value, was=was,
    )  # fmt: skip
    await uow.finish(request)
    uow.changed_requests.add(saved_id(request))
    if was == label:
        return
    # One cause speaks once: what was said to the words when they came is another.
    cause = f"event:{event.id}"
    given = match_answer(uow, request, message.body, Intent(label, message.body.strip()))
    if given is not None:
        await answer(
            uow, request, given.question, given.answer, words=message.body.strip(), at=given.at,
            via=message.channel,
        )  # fmt: skip
    elif label == IntentKind.CALL_ME and not request.is_closed:
        await handle_call_request(uow, request, message, cause=cause)
    elif label == IntentKind.STATUS and not request.is_closed:
        await send_status(uow, request, message, cause)


def _read(label: str) -> IntentKind:
    try:
        return IntentKind(label)
    except ValueError:
        known = ", ".join(IntentKind)
        raise BadInput(
            "Please choose what it means.", fields={"label": f"one of {known}"}
        ) from None
