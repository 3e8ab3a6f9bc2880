"""A colleague says what a customer's words mean: kept, so that the corpus grows, and heeded."""

from portal.errors import BadInput
from portal.messaging.intents.classifier import Meaning, MeaningKind
from portal.models import Direction, EventKind, Message, ServiceRequest
from portal.operations.conversation.intent_handlers import answers, owe_call, tell_where_it_is
from portal.operations.follow_ups import answer
from portal.operations.unit_of_work import Turn


async def relabel(
    turn: Turn, request: ServiceRequest, message: Message, label: MeaningKind | str
) -> None:
    """Keep the label and who chose it, and do what it asks where that is safe.

    A yes, a no or a time answers the question that is open, with the words; a wish for a call
    is promised; where it is, is told. Nothing else is closed by it, and chosen again it does
    nothing. Raises BadInput for an unknown label, or words that are not this customer's.
    """
    label = _read(label)
    if message.direction != Direction.IN or message.request_id != request.id:
        raise BadInput("Only what the customer wrote here has a meaning to correct.")
    if message.meaning == label and message.meaning_by:
        return
    was, message.meaning, message.meaning_by = message.meaning, label, turn.actor.name
    turn.session.add(message)
    event = request.record(
        EventKind.MEANING_CORRECTED, turn.actor, turn.now, visible=False, moves=False,
        message_id=message.id, label=label.value, was=was,
    )  # fmt: skip
    await turn.settle(request)
    turn.nudged.add(request.id or 0)
    if was == label:
        return
    # One cause speaks once: what was said to the words when they came is another.
    cause = f"event:{event.id}"
    given = answers(turn, request, message.body, Meaning(label, message.body.strip()))
    if given is not None:
        await answer(
            turn, request, given.question, given.answer, words=message.body.strip(), at=given.at,
            via=message.channel,
        )  # fmt: skip
    elif label == MeaningKind.CALL_ME and not request.is_closed:
        await owe_call(turn, request, message, cause=cause)
    elif label == MeaningKind.STATUS and not request.is_closed:
        await tell_where_it_is(turn, request, message, cause)


def _read(label: str) -> MeaningKind:
    try:
        return MeaningKind(label)
    except ValueError:
        known = ", ".join(MeaningKind)
        raise BadInput(
            "Please choose what it means.", fields={"label": f"one of {known}"}
        ) from None
