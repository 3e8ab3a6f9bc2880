"""What a message changes about consent, by text, mail and page. Pure.

A stop by text is about all texts to that number, whoever's request they are about; one that
plainly names one of several open requests is about that one. A stop is confirmed once, and a
stopped number gets nothing but the answers to HELP and START. What Twilio has answered is not
answered again.
"""

from dataclasses import replace

from portal.messaging.intents.classifier import Intent, IntentKind, StopScope, normalize_words
from portal.models import REFERENCE_PATTERN, Channel, ConsentSource, ServiceRequest
from portal.operations.conversation.facts import InboundFacts
from portal.operations.conversation.inbound_message import InboundMessage, OptOutType
from portal.operations.conversation.outcomes import ChangeConsent, Decision, OweReply
from portal.operations.conversation.request_names import GENERIC_WORDS

CONSENT_INTENTS = (IntentKind.STOP, IntentKind.START, IntentKind.HELP)
GRANTED = {IntentKind.STOP: False, IntentKind.START: True, IntentKind.HELP: None}
THIS_WORDS = frozenset(
    normalize_words("this that it este esta esto ese esa eso هذا هذه ذلك تلك هاد هاي ده دي").split()
)
"""Words that point at a request without a name: "no more texts about this one"."""
CONSENT_RULES = {
    "C4": "STOP that names one of several open requests: withdrawn for that one.",
    "C5": "STOP: withdrawn for the number.",
    "C6": "START, or a mere YES of a stopped number: granted.",
    "C7": "HELP: explained.",
    "M1": "STOP by mail: withdrawn for their address, or for this request from another one.",
    "M2": "START by mail from their stopped address: granted.",
    "P1": "STOP on the page: all texts are withdrawn, and a person answers.",
}


def widen_stop(inbound: InboundMessage, intent: Intent, facts: InboundFacts) -> Intent:
    """A stop about a topic that names no single request is one of everything: never nothing.

    "This one" is no topic: which request is meant is matched, or asked, as of any other text.
    """
    topic = set(intent.about.split())
    has_topic = bool(topic) and topic.isdisjoint(THIS_WORDS)
    if intent.scope != StopScope.REQUEST or not has_topic or len(facts.open_requests) < 2:
        return intent
    stop = replace(intent, kind=IntentKind.STOP, scope=None)
    return stop if _named_by_stop(inbound, stop, facts) is None else intent


def consent_wish(inbound: InboundMessage, intent: Intent, facts: InboundFacts) -> IntentKind | None:
    """What a text asks about our texts: STOP, START, HELP or nothing.

    YES starts texts again, but only for a stopped number: Twilio counts every YES as START.
    """
    opt_out_type = inbound.opt_out_type
    is_yes = intent.kind == IntentKind.YES
    # Who is not stopped and wants texts at any hour ends their own quiet hours: that is no START.
    is_any_hour = intent.scope == StopScope.NIGHT and facts.has_own_quiet_hours
    is_plain_yes = is_yes and not facts.is_opted_out and opt_out_type != OptOutType.STOP
    if inbound.channel != Channel.SMS or is_plain_yes:
        wish = None
    elif opt_out_type is not None:
        wish = IntentKind(opt_out_type.lower())
    elif is_yes:
        wish = IntentKind.START if intent.bare else None
    else:
        is_wish = intent.kind in CONSENT_INTENTS and not (is_any_hour and not facts.is_opted_out)
        wish = intent.kind if is_wish else None
    return wish


def consent_request(
    inbound: InboundMessage, intent: Intent, facts: InboundFacts
) -> ServiceRequest | None:
    """The request that a text about our texts belongs to, if any.

    The one that it names; else, where a person must read it, the newest; else the only open one.
    """
    named = _named_by_stop(inbound, intent, facts)
    if named is not None:
        return named
    if _needs_staff(inbound, intent, facts):
        return facts.newest
    return facts.open_requests[0] if len(facts.open_requests) == 1 else None


def decide_text_consent(inbound: InboundMessage, intent: Intent, facts: InboundFacts) -> Decision:
    """A STOP is confirmed also in a flood; START and HELP also in a loop, if not by keywords."""
    wish = consent_wish(inbound, intent, facts)
    if wish is None:
        raise ValueError("This text asks nothing about our texts.")
    named = _named_by_stop(inbound, intent, facts)
    confirm = "stop_one" if named else wish.value
    is_answered = _is_answered_by_carrier(inbound, intent, facts)
    if wish == IntentKind.STOP:
        is_answered |= facts.is_opted_out or (named is not None and named.id in facts.muted)
    elif _is_keyword_silent(facts):
        is_answered = True
    change = ChangeConsent(
        granted=GRANTED[wish], channel=Channel.SMS, addresses=[inbound.sender],
        source=ConsentSource.TEXT, evidence=_text_evidence(inbound),
        request_id=named.id if named else None,
        confirm="" if is_answered else confirm, about=named,
    )  # fmt: skip
    rules = {IntentKind.STOP: "C5", IntentKind.START: "C6", IntentKind.HELP: "C7"}
    owed = OweReply(is_silent=True) if _needs_staff(inbound, intent, facts) else None
    return Decision("C4" if named else rules[wish], change, owed=owed)


def decide_email_consent(
    inbound: InboundMessage, request: ServiceRequest, intent: Intent, facts: InboundFacts
) -> Decision | None:
    """None where a mail asks nothing about our mail.

    Whoever has our mail may stop it, as by the link at its foot: from another address than the
    customer's for this request alone. Only their own address starts it again.
    """
    address, is_known = facts.consent_address, facts.is_known_sender
    is_stop, was_muted = intent.kind == IntentKind.STOP, request.id in facts.muted
    is_start = intent.kind == IntentKind.START and is_known and was_muted
    if address is None or not (is_stop or is_start):
        return None
    confirm = "mail_start"
    if is_stop:
        confirm = "mail_stop" if is_known else "mail_stop_request"
    is_answered = facts.limits.is_loop or (is_stop and was_muted)
    change = ChangeConsent(
        granted=not is_stop, channel=Channel.EMAIL, addresses=[address],
        source=ConsentSource.MAIL,
        evidence=f"{inbound.provider_id} {inbound.sender}: {inbound.body}",
        request_id=None if is_known else request.id,
        confirm="" if is_answered else confirm,
    )  # fmt: skip
    owed = OweReply(is_silent=True) if says_more(intent) else None
    return Decision("M1" if is_stop else "M2", change, owed=owed)


def decide_page_consent(
    inbound: InboundMessage, request: ServiceRequest, intent: Intent, facts: InboundFacts
) -> Decision | None:
    """A STOP on the page ends our texts to every number of theirs; a person answers it too."""
    has_phone = request.customer.address(Channel.SMS, facts.now) is not None
    if intent.kind != IntentKind.STOP or not has_phone:
        return None
    points = request.customer.contact_points
    change = ChangeConsent(
        granted=False, channel=Channel.SMS,
        addresses=[point.address for point in points if point.channel == Channel.SMS],
        source=ConsentSource.STATUS_PAGE, evidence=inbound.body,
    )  # fmt: skip
    return Decision("P1", change, owed=OweReply())


def _named_by_stop(
    inbound: InboundMessage, intent: Intent, facts: InboundFacts
) -> ServiceRequest | None:
    """The one of several that a stop names, by reference or by a word of its title alone."""
    requests = facts.open_requests
    is_stop = consent_wish(inbound, intent, facts) == IntentKind.STOP
    is_settled = facts.is_opted_out or _is_answered_by_carrier(inbound, intent, facts)
    if not is_stop or is_settled or len(requests) < 2:
        return None
    references = set(REFERENCE_PATTERN.findall(inbound.body.upper()))
    named = [request for request in requests if request.reference in references]
    if not references:
        about = set(intent.about.split()) - GENERIC_WORDS
        named = [
            request for request in requests if about & set(normalize_words(request.title).split())
        ]
    return named[0] if len(named) == 1 else None


def _needs_staff(inbound: InboundMessage, intent: Intent, facts: InboundFacts) -> bool:
    """Whether it says more than its wish, as "cancel" may mean the request; or stays unanswered."""
    is_help = consent_wish(inbound, intent, facts) == IntentKind.HELP
    is_unanswered = is_help and _is_keyword_silent(facts)
    return says_more(intent) or is_unanswered


def says_more(intent: Intent) -> bool:
    """Whether a wish about our messages says something beside that a person must read."""
    return intent.cancel or intent.needs_reading or intent.needs_owner or intent.is_urgent


def _is_keyword_silent(facts: InboundFacts) -> bool:
    return facts.limits.is_flood or facts.limits.is_keyword_loop


def _is_answered_by_carrier(inbound: InboundMessage, intent: Intent, facts: InboundFacts) -> bool:
    return inbound.opt_out_type is not None or (intent.is_keyword and facts.answers_keywords)


def _text_evidence(inbound: InboundMessage) -> str:
    """The text, and where Twilio has it."""
    at_twilio = f", {inbound.opt_out_type} at Twilio" if inbound.opt_out_type else ""
    return f"{inbound.body.strip()[:300]} ({inbound.provider_id}{at_twilio})"
