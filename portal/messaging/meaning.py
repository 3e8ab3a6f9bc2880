"""What a customer's reply means, as far as plain words tell it.

Pure: it sees the words and nothing else. Which request is meant, whether a question is open and
whether the number had stopped are the caller's to know. Whatever is not plain is ``other``, and
goes to a person: a wrong guess here closes a request or silences a customer.

The keywords are those of the CTIA and Twilio ("Advanced Opt-Out"); any plain wish in reasonable
wording counts as well (47 CFR 64.1200(a)(10)). The rules are tables, tried in their order.
"""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from portal.messaging.plain import cheapen

LONGEST = 2_000
"""Characters that are looked at; a text has at most 1,600."""


class MeaningKind(StrEnum):
    """What a reply asks of us."""

    STOP = "stop"
    START = "start"
    HELP = "help"
    YES = "yes"
    NO = "no"
    STATUS = "status"
    CALL_ME = "call_me"
    THANKS = "thanks"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Meaning:
    """A reply, understood.

    ``answer_words``: what the customer wrote, trimmed, to be kept with the answer. ``keyword``:
    it was a carrier's keyword and nothing else, so Twilio may have answered it already.
    ``cancel``: it may mean "cancel my request", which is for a person. ``bare``: a yes or no
    with no further words.
    """

    kind: MeaningKind
    answer_words: str
    keyword: bool = False
    cancel: bool = False
    bare: bool = False


def understand(text: str) -> Meaning:
    """What a reply means. Case, spaces, punctuation and emoji aside; English and Spanish.

    YES also begins texts again, but only for a number that had stopped: the caller knows.
    """
    said = text.strip()
    words = _words(said[:LONGEST])
    squeezed = words.replace(" ", "")
    if not words:
        return Meaning(_of_emoji(said[:LONGEST]), said)
    if squeezed in KEYWORDS:
        return Meaning(KEYWORDS[squeezed], said, keyword=True, cancel=squeezed in CANCEL_WORDS)
    cancel = bool(CANCEL_REQUEST.search(words))
    for kind, rule in RULES:
        if rule.search(words):
            break
    else:
        kind = MeaningKind.OTHER
    if (kind is MeaningKind.YES and NOT_QUITE_YES.search(words)) or (
        kind is MeaningKind.NO and NOT_QUITE_NO.search(words)
    ):
        kind = MeaningKind.OTHER
    if cancel and kind is not MeaningKind.STOP:
        # "Yes, cancel my order" answers no question of ours.
        kind = MeaningKind.OTHER
    return Meaning(kind, said, cancel=cancel, bare=words in BARE)


def _words(text: str) -> str:
    """Small plain letters and digits, accents and apostrophes gone, one space between words."""
    plain = unicodedata.normalize("NFKD", cheapen(text)).casefold().replace("'", "")
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    return " ".join(re.findall(r"[^\W_]+", plain))


def _of_emoji(text: str) -> MeaningKind:
    """A reply of signs alone; signs that disagree are for a person."""
    kinds = {kind for sign, kind in SIGNS.items() if sign in text}
    return kinds.pop() if len(kinds) == 1 else MeaningKind.OTHER


SIGNS = {
    "👍": MeaningKind.YES,
    "✅": MeaningKind.YES,
    "👌": MeaningKind.YES,
    "👎": MeaningKind.NO,
    "❌": MeaningKind.NO,
    "🙏": MeaningKind.THANKS,
    "❤": MeaningKind.THANKS,
    "🛑": MeaningKind.STOP,
}

KEYWORDS: dict[str, MeaningKind] = {
    **dict.fromkeys(
        ("stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout"),
        MeaningKind.STOP,
    ),
    **dict.fromkeys(("start", "unstop"), MeaningKind.START),
    "yes": MeaningKind.YES,
    **dict.fromkeys(("help", "info"), MeaningKind.HELP),
    # Spanish, as the carriers know them.
    **dict.fromkeys(("alto", "parar", "baja", "cancelar", "detener"), MeaningKind.STOP),
    **dict.fromkeys(("comenzar", "empezar"), MeaningKind.START),
    **dict.fromkeys(("ayuda", "auxilio"), MeaningKind.HELP),
}
"""The whole reply, spaces aside."""

CANCEL_WORDS = frozenset({"cancel", "cancelar"})

YES_WORDS = (
    "yes|y|yep|yeah|yup|yess+|yea|ya|sure|correct|affirmative|absolutely|definitely|si|claro"
)
NO_WORDS = "no|n|nope|nah|noo+|negative"
BARE = frozenset(f"{YES_WORDS}|{NO_WORDS}".replace("+", "").split("|")) | {"not yet", "todavia no"}

TEXTS = r"(?:texts?|texting|text messages?|messages?|messaging|msgs?|sms|alerts?|notifications?)"
POLITE = r"(?:please|pls|plz|por favor|now|ok|okay|thanks|thank you|just|hi|hello|hey)"
THING = r"(?:request|order|application|appointment|card|repair|booking|account|permit|claim)"

CANCEL_REQUEST = re.compile(
    rf"\bcancel(?:ar|en|o)? (?:\w+ ){{0,2}}(?:{THING}|it|solicitud|pedido|tarjeta|cita)\b"
    r"|\b(?:want|like|need|quiero) (?:to )?cancel(?:ar)?$"
)

_TABLE: list[tuple[MeaningKind, tuple[str, ...]]] = [
    # Not a wish to stop, though the word is there; a person reads it.
    (
        MeaningKind.OTHER,
        (
            r"\b(?:dont|do not|never|not|wont|cant|didnt|no) (?:ever )?"
            r"(?:stop|unsubscribe|quit|opt)\b",
            r"\bbus stop\b|\bnon ?stop\b|\bfull stop\b",
        ),
    ),
    (
        MeaningKind.STOP,
        (
            rf"^(?:{POLITE} )*(?:stop|quit|unsubscribe|end)(?: (?:it|this|that|these|already|all"
            rf"|now|everything|me|{POLITE}))*$",
            rf"\bstop (?:(?:all|the|these|this|your|sending|with) )*{TEXTS}\b",
            r"\bstop (?:sending|contacting|bothering|emailing|spamming|writing|calling"
            r"|harassing|bugging)\b",
            r"\b(?:please|want you to|told you to|asked you to|i said|number|person) stop$",
            rf"\b(?:dont|do not|never|no longer|quit) (?:ever )?(?:{TEXTS}|contact|write|email"
            r"|sms|send)(?: (?:to|with))? (?:me|us|this number|anything|any more|anymore|these)\b",
            rf"\b(?:dont|do not|no longer) (?:want|need|wish)(?: to)?(?: (?:get|receive|see|have))?"
            rf"(?: (?:any|more|your|these|the|of))* {TEXTS}\b",
            rf"\bno (?:more|further) {TEXTS}\b",
            rf"\b(?:end|cancel|turn off|switch off) (?:(?:all|the|these|my|your) )*{TEXTS}\b",
            r"\bopt(?:ing)? ?(?:me )?out\b|\bopt me out\b",
            r"\bunsubscribe (?:me|us|from|please|this)\b|\bto unsubscribe\b|\bplease unsubscribe\b",
            r"\b(?:remove|delete) (?:me|my (?:phone )?number|this number)\b",
            r"\btake (?:me|my number|this number) off\b",
            r"\bleave me alone\b|\blose my number\b",
            # Spanish.
            r"\bno me (?:envien?|manden?|escriban?|mande|envie|contacten)\b",
            r"\b(?:dejen?|deje|paren?|pare) de (?:enviar|mandar|escribir|molestar)",
            r"\bno (?:quiero|deseo)(?: recibir)? mas (?:mensajes|textos|sms)\b",
            r"\bno mas (?:mensajes|textos|sms)\b",
            r"\b(?:dar|dame|darme|denme|date|quiero) (?:de )?baja\b",
            r"^(?:alto|pare|paren|parar|basta)(?: por favor| ya)*$",
        ),
    ),
    (
        MeaningKind.START,
        (
            rf"^(?:{POLITE} )*(?:start|restart|unstop|resubscribe)(?: (?:again|{POLITE}))*$",
            rf"\b(?:start|resume|restart) (?:(?:sending|the|my|your|me|again) )*{TEXTS}\b",
            r"\bopt(?: me)?(?: back)? in\b|\bsubscribe me again\b",
        ),
    ),
    (
        MeaningKind.HELP,
        (
            rf"^(?:{POLITE} )*(?:help|info|ayuda)(?: (?:me|{POLITE}))*$",
            r"^(?:i need|need|can i get|necesito) (?:some )?(?:help|info|information|ayuda)"
            r"(?: please| por favor)?$",
            r"^(?:who is this|whos this|who are you|what is this|whats this|quien es)(?: please)?$",
        ),
    ),
    # Kind words that begin with "no".
    (
        MeaningKind.THANKS,
        (r"^no (?:problem|probs|worries|rush|hurry|need|trouble)(?: .{0,30})?$",),
    ),
    (
        MeaningKind.NO,
        (
            rf"^(?:{POLITE} )*(?:{NO_WORDS})\b",
            r"^(?:not|never|todavia no|aun no)\b",
            r"\b(?:hasnt|has not|havent|have not|didnt|did not|never|not)(?: yet)?"
            r"(?: (?:even|actually|yet|ever))*"
            r" (?:come|came|arrived?|received?|gotten|got|get|seen|turned up|shown up|showed up"
            r"|been delivered|delivered|there|here)\b",
            r"^(?:still )?(?:nothing|nada)(?: (?:yet|here|came|arrived|has come|so far|todavia))*$",
            r"\bstill (?:hasnt|havent|not|nothing|no)\b",
            r"\bno (?:me )?(?:ha|he|llego|llegado|recibi|recibido)\b",
        ),
    ),
    (
        MeaningKind.CALL_ME,
        (
            r"\b(?:call|phone|ring|telephone) me\b",
            r"\bgive me a (?:call|ring|bell)\b",
            r"\b(?:can|could|will|would|may) (?:you|someone|somebody|anyone) "
            r"(?:please )?(?:call|phone|ring)\b",
            r"\b(?:speak|talk) (?:to|with) (?:a|an|someone|somebody|your)\b",
            r"\bcallback\b|\bcall back\b|\bcalled back\b",
            r"\b(?:llamame|llamenme|llameme|me pueden llamar|hablar con (?:alguien|una persona))\b",
        ),
    ),
    (
        MeaningKind.STATUS,
        (
            r"^(?:status|update|track|tracking|estado|eta)(?: (?:please|update|por favor))*$",
            r"\b(?:any|an|some) (?:\w+ )?(?:updates?|news|word|progress)\b",
            r"\bwhere(?: is|s| are|re)? (?:my|the|our|it|is it)\b",
            r"\bwhen (?:will|is|does|do|can|should|would|are|am)\b",
            r"\bhow (?:much longer|long|soon)\b|\bhow is (?:it|my|the)\b|\bhows (?:it|my|the)\b",
            r"\b(?:whats|what is) (?:happening|going on|the (?:status|update|latest|eta|news))\b",
            r"\b(?:is|are) (?:it|my \w+|they) (?:ready|done|finished|here|coming|on (?:its|the) way)"
            r"\b",
            r"\bstatus of\b|\bstill waiting\b|\bcheck(?:ing)? (?:on )?(?:the |my )?status\b",
            r"\bdonde esta\b|\bcuando (?:llega|llegara|viene|estara|va)\b|\bcuanto falta\b"
            r"|\balguna? (?:novedad|noticia)",
        ),
    ),
    (
        MeaningKind.YES,
        (
            rf"^(?:{POLITE} )*(?:{YES_WORDS})\b",
            r"^(?:of course|it (?:did|has|is here)|all received|por supuesto)\b",
            r"^(?:(?:it|card|the card|my card|they|i|just|finally|already|has|have|have it"
            r"|(?:it|they|i)(?:ve|s)?) )*(?:arrived|came|received|got it|received it|have it|here)"
            r"(?: (?:today|yesterday|this morning|now|safely|thanks|thank you|fine|ok|it|in the mail"
            r"|already|just now|ty))*$",
            r"^(?:ya )?(?:llego|lo recibi|la recibi|recibido|recibida)\b",
        ),
    ),
    (
        MeaningKind.THANKS,
        (
            r"^(?:(?:ok|okay|k|kk|great|perfect|cool|awesome|lovely|super|good|alright|brilliant"
            r"|wonderful|excellent|fine|noted|understood|vale|bueno|perfecto|muy bien|no) )*"
            r"(?:thanks|thank you|thankyou|thx|ty|tks|cheers|much appreciated|appreciate it"
            r"|appreciated|gracias|muchas gracias|mil gracias)\b(?!.*\b(?:but|pero|however)\b)"
            r".{0,60}$",
            r"^(?:many|so many) thanks\b",
            r"^(?:ok|okay|k|kk|great|perfect|cool|awesome|lovely|super|good|alright|brilliant"
            r"|wonderful|excellent|fine|noted|understood|vale|bueno|perfecto|muy bien)"
            r"(?: (?:great|good|perfect|cool|then|news|to know|job))*$",
        ),
    ),
]

RULES: list[tuple[MeaningKind, re.Pattern[str]]] = [
    (kind, re.compile("|".join(f"(?:{pattern})" for pattern in patterns)))
    for kind, patterns in _TABLE
]

NOT_QUITE_YES = re.compile(
    r"\b(?:but|however|except|pero|aunque|no|not|never|nothing|hasnt|havent|didnt|isnt|doesnt|cant"
    r"|wont|wrong|broken|damaged|missing|right|question|problem|issue|wait)\b"
)
"""A yes with something wrong is no yes: it would close the request."""

NOT_QUITE_NO = re.compile(
    rf"^(?:{NO_WORDS}) (?:wait |actually |sorry )*(?:it|they|i|the card|my card|card)"
    r"(?: has| have| did| just| finally| already)* (?:arrived?|came|come|received|got|here)\b"
    r"|^no (?:idea|clue|one|se)\b|^not (?:sure|certain|now)\b"
    rf"|^(?:{NO_WORDS}) (?:yes|yeah|wait yes)\b"
)
"""A no that says the opposite, or nothing."""
