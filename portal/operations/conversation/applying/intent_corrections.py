"""A colleague corrects the intent of a message: recorded, and acted on where that is safe."""

from portal.errors import BadInput
from portal.messaging.intents.classifier import Intent, IntentKind
from portal.models import Direction, EventKind, Message, ServiceRequest
from portal.models.columns import saved_id
from portal.operations.authorization import authorize
from portal.operations.conversation.applying.intent_handlers import carry_out
from portal.operations.conversation.applying.replies import MatchedMessage
from portal.operations.conversation.facts import InboundFacts
from portal.operations.conversation.outcomes import AnswerQuestion, Decision
from portal.operations.conversation.reading.answers import NAMES_TIME, decide_correction
from portal.operations.conversation.reading.visits import match_visit
from portal.operations.unit_of_work import UnitOfWork
from portal.queries.roster import load_visit_zones
from portal.rules.authorization import Act


async def correct_intent(
    uow: UnitOfWork, request: ServiceRequest, message: Message, label: IntentKind | str
) -> None:
    """Record the label and who chose it, and do what it asks where that is safe.

    A yes, a no or a time answers the open question, with the message's text; a wish for a call is
    promised; a status question is answered. Nothing else follows, and the same label again
    changes nothing. Raises BadInput for an unknown label, or a message that is not this
    customer's.
    """
    await authorize(uow, request, Act.CORRECT_INTENT)
    label = _read(label)
    if message.direction != Direction.IN or message.request_id != request.id:
        raise BadInput("Only what the customer wrote here has a meaning to correct.")
    if message.intent == label and message.intent_corrected_by:
        return
    previous, message.intent, message.intent_corrected_by = message.intent, label, uow.actor.name
    uow.session.add(message)
    event = request.record(
        EventKind.INTENT_CORRECTED, uow.actor, uow.now, visible=False, bumps_version=False,
        message_id=message.id, label=label.value, was=previous,
    )  # fmt: skip
    await uow.finish(request)
    uow.changed_requests.add(saved_id(request))
    if previous == label:
        return
    intent = Intent(label, message.body.strip())
    facts = InboundFacts(now=uow.now, zones=await load_visit_zones(uow.session, [request]))
    names_time = label in NAMES_TIME and not request.is_closed
    visit = match_visit(request, intent, message.body, facts) if names_time else None
    outcome = visit[1] if visit else decide_correction(request, intent, message.body, uow.now)
    if outcome is None:
        return
    # One cause is replied to once: the reply to the message itself had another.
    cause = f"event:{event.id}"
    if isinstance(outcome, AnswerQuestion):
        cause = f"answer:{outcome.question.id}"
    matched = MatchedMessage(message, request, intent, facts, cause)
    await carry_out(uow, matched, Decision("R1", outcome))


def _read(label: str) -> IntentKind:
    try:
        return IntentKind(label)
    except ValueError:
        known = ", ".join(IntentKind)
        raise BadInput(
            "Please choose what it means.", fields={"label": f"one of {known}"}
        ) from None
