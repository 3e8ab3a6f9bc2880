"""The tables behind ``meaning``: keywords, signs and phrases, in the order that they are tried.

One pattern a line, over small plain words with one space between them (no accents, no
apostrophes). ``<name>`` stands for a list of words below. A new reply that is misread is a line
here and a row in the corpus.

Sources: the carriers' keywords are those of the CTIA and of Twilio's opt-out handling; any plain
wish in reasonable wording counts as well (47 CFR 64.1200(a)(10)).
"""

import re
from collections.abc import Mapping
from enum import StrEnum


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


KEYWORDS: dict[str, MeaningKind] = {
    "yes": MeaningKind.YES,
    **dict.fromkeys(
        ("stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout"),
        MeaningKind.STOP,
    ),
    **dict.fromkeys(("start", "unstop"), MeaningKind.START),
    **dict.fromkeys(("help", "info"), MeaningKind.HELP),
    **dict.fromkeys(("alto", "parar", "baja", "cancelar", "detener"), MeaningKind.STOP),
    **dict.fromkeys(("comenzar", "empezar"), MeaningKind.START),
    **dict.fromkeys(("ayuda", "auxilio"), MeaningKind.HELP),
}
"""The whole reply, spaces aside."""

CANCEL_WORDS = frozenset({"cancel", "cancelar"})

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

LISTS = {
    "yes": "yes yess yesss y yep yeah yup yea ya sure correct affirmative absolutely definitely"
    " si claro",
    "no": "no noo nooo n nope nah negative",
    "polite": "please pls plz now ok okay thanks thx just hi hello hey sorry",
    "texts": "text texts texting message messages messaging msg msgs sms alert alerts"
    " notification notifications",
    "fine": "ok okay k kk great perfect cool awesome lovely super good alright brilliant wonderful"
    " excellent fine noted understood vale bueno perfecto",
    "thanks": "thanks thank thankyou thx ty tks cheers gracias appreciated",
    "thing": "request order application appointment card repair booking account permit claim it"
    " solicitud pedido tarjeta cita",
}

PHRASES: list[tuple[MeaningKind, str]] = [
    # The word is there and the wish is not: a person reads it.
    (
        MeaningKind.OTHER,
        r"""
        \b(?:dont|do not|never|not|wont|cant|didnt) (?:ever )?(?:stop|unsubscribe|quit|opt)\b
        \b(?:dont|do not|never) (?:call|phone|ring)\b
        \b(?:bus|non|full|next|last|every|one) stop\b
        """,
    ),
    (
        MeaningKind.START,
        r"""
        ^(?:<polite> )*(?:start|restart|unstop|resubscribe)(?: (?:again|<polite>))*$
        \b(?:start|resume|restart) (?:(?:sending|the|my|your|me|again) )*<texts>\b
        \bopt(?: me)?(?: back)? in\b
        \bsubscribe me again\b
        """,
    ),
    (
        MeaningKind.HELP,
        r"""
        ^(?:<polite> )*(?:help|info|ayuda)(?: (?:me|<polite>))*$
        ^(?:i need|need|can i get|necesito) (?:some )?(?:help|info|information|ayuda)(?: please)?$
        ^(?:who is this|whos this|who are you|what is this|whats this|quien es)(?: please)?$
        """,
    ),
    (
        MeaningKind.THANKS,
        r"""
        ^(?:no|not a) (?:problem|probs|worries|rush|hurry|need|trouble)(?: <thanks>(?: you)?)?$
        """,
    ),
    (
        MeaningKind.NO,
        r"""
        ^(?:<polite> )*<no>\b
        ^(?:not|never|todavia no|aun no)\b
        \b(?:hasnt|has not|havent|have not|didnt|did not|never|not)(?: (?:even|actually|yet|ever))* (?:come|came|arrived?|received?|gotten|got|get|seen|turned up|shown up|showed up|been delivered|delivered|there|here)\b
        ^(?:still )?(?:nothing|nada)(?: (?:yet|here|came|arrived|has come|so far|todavia))*$
        \bstill (?:hasnt|havent|not|nothing|no)\b
        \bno (?:me )?(?:ha|he|llego|llegado|recibi|recibido)\b
        """,
    ),
    (
        MeaningKind.CALL_ME,
        r"""
        \b(?:call|phone|ring|telephone) me\b
        \bgive me a (?:call|ring|bell)\b
        \b(?:can|could|will|would|may) (?:you|someone|somebody|anyone) (?:please )?(?:call|phone|ring)\b
        \b(?:speak|talk) (?:to|with) (?:a|an|someone|somebody|your)\b
        (?<!\bill )(?<!\bwill )\bcall ?back\b
        \b(?:llamame|llamenme|llameme|me pueden llamar)\b
        \bhablar con (?:alguien|una persona)\b
        """,
    ),
    (
        MeaningKind.STATUS,
        r"""
        ^(?:status|update|track|tracking|estado|eta)(?: (?:please|update|por favor))*$
        \b(?:any|an|some) (?:\w+ )?(?:updates?|news|word|progress)\b
        \bwhere(?: is|s| are|re)? (?:my|the|our|it)\b
        \bwhen (?:will|is|does|do|can|should|would|are|am)\b
        \bhow (?:much longer|long|soon)\b
        \b(?:how is|hows) (?:it|my|the)\b
        \b(?:whats|what is) (?:happening|going on|taking so long|the (?:status|update|latest|eta|news|hold up))\b
        \b(?:is|are) (?:it|my \w+|they) (?:ready|done|finished|here|coming|on (?:its|the) way)\b
        \b(?:has|have) (?:it|my \w+|you) (?:been )?(?:shipped|sent|approved|posted|dispatched|started)\b
        \bstatus of\b
        \bstill waiting\b
        \bcheck(?:ing)? (?:on )?(?:the |my )?status\b
        \bdonde esta\b
        \bcuando (?:llega|llegara|viene|estara|va)\b
        \bcuanto falta\b
        \balguna? (?:novedad|noticia)
        """,
    ),
    (
        MeaningKind.YES,
        r"""
        ^(?:<polite> )*<yes>\b
        ^(?:it (?:did|has)|of course|por supuesto)(?: (?:it|has|did|arrived|come|<thanks>))*$
        ^(?:(?:it|its|ive|theyve|card|the card|my card|all|they|i|just|finally|already|has|have) )*(?:arrived|came|received|got it|received it|have it|here)(?: (?:today|yesterday|this morning|now|safely|with|you|fine|ok|it|in the mail|already|just now|<thanks>))*$
        ^(?:ya )?(?:llego|lo recibi|la recibi|recibido|recibida)\b
        """,
    ),
    (
        MeaningKind.THANKS,
        r"""
        ^(?:<fine> )*(?:(?:muchas|mil|many|so many) )?<thanks>\b(?!.*\b(?:but|pero|however)\b).{0,60}$
        ^(?:much appreciated|i appreciate it|appreciate it)\b
        ^<fine>(?: (?:then|news|to know|job|<fine>))*$
        """,
    ),
]


def pattern(lines: str, lists: Mapping[str, str] = LISTS) -> re.Pattern[str]:
    """One pattern out of many lines, the lists filled in; ``_`` in a list stands for a space."""
    whole = "|".join(f"(?:{line.strip()})" for line in lines.splitlines() if line.strip())
    for name, words in lists.items():
        choices = "|".join(words.split()).replace("_", " ")
        whole = whole.replace(f"<{name}>", f"(?:{choices})")
    return re.compile(whole)


RULES = [(kind, pattern(lines)) for kind, lines in PHRASES]

NOT_QUITE = {
    # A yes with something wrong is no yes: it would close the request.
    MeaningKind.YES: pattern(
        r"""
        \b(?:but|however|except|pero|aunque|no|not|never|nothing|hasnt|havent|didnt|isnt|doesnt)\b
        \b(?:cant|wont|wrong|broken|damaged|missing|torn|bent|cracked|scratched|faulty|defective)\b
        \b(?:question|problem|issue|mistake|error|wait|complain|complaint)\b
        ^yeah right$
        """
    ),
    # A no that says the opposite, or nothing.
    MeaningKind.NO: pattern(
        r"""
        ^<no> (?:wait |actually |sorry )*(?:it|they|i|the card|my card)(?: has| have| did| just| finally| already)* (?:arrived?|came|come|received|got|here)\b
        ^no (?:idea|clue|se)\b
        ^not (?:sure|certain|now)\b
        ^never ?mind\b
        ^<no> (?:wait )?<yes>\b
        """
    ),
}

CANCEL_REQUEST = pattern(
    r"""
    ^(?:<polite> )*cancel(?: <polite>)*$
    \bcancel(?:ar|en|o)? (?:\w+ ){0,2}<thing>\b
    \b(?:want|like|need|quiero) (?:to )?cancel(?:ar)?\b
    """
)

BARE = frozenset(f"{LISTS['yes']} {LISTS['no']}".split()) | {"not yet", "todavia no"}
