"""A wish to get no more texts, in any reasonable wording, and the words that only look like one.

A reply is read sentence by sentence. First what only looks like a wish is taken out, then a wish
must stand in what is left. Where it is in doubt a wish counts as one: a silence is mended by
START, a text against somebody's will by nothing. A reply that is misread is a line here and a row
in ``tests/corpus/consent.csv``.

Source: 47 CFR 64.1200(a)(10): any reasonable manner of revoking consent counts.
"""

from portal.messaging.intents.patterns import compile_pattern

WORD_LISTS = {
    "stop": "sto+p+ sotp stpo stp tsop st0p stahp quit cease desist discontinue halt",
    "unsubscribe": "unsubscribe unsubscribing unsub unsuscribe unsubcribe unsubscibe un_subscribe",
    # Beside a lone "stop" these leave it what it is.
    "small": "please pls plz plese pleas kindly now ok okay thanks thank thx ty just hi hello hey"
    " sorry sir guys yall good morning afternoon evening day already immediately asap right away"
    " today at once forever completely totally for and a it this that these those them all al"
    " everything nonsense crap shit damn fuck fucking f ing again i u you me we us id ive like"
    " would will can could should must to want need have been said say told tell asked ask texted"
    " texting sent replied typed make times once twice three last warning yes yeah no nope"
    " wrong number person stop por favor im begging",
    "polite": "please pls plz plese kindly now ok okay thanks thank you u thx ty just hi hello hey"
    " sorry guys already immediately asap yes yeah no",
    "the": "all the these those this that your ur my our any more further of sending with w getting"
    " receiving it damn fucking f ing freaking stupid annoying automated phone please",
    "texts": "text texts txt txts texting message messages messaging msg msgs sms alert alerts"
    " notification notifications updates reminders communication communications spam",
    "write": "text txt texting message msg messaging contact sms write ping notify bother disturb",
    "writing": "texting txting texing textin messaging msging contacting bothering spamming writing"
    " calling harassing bugging pestering annoying blowing pinging notifying",
    "never": "dont do_not dnt never no_longer didnt did_not",
    "get": "get getting receive receiving see have hear hearing be_getting be_receiving be_on",
    "remove": "remove delete erase forget lose scrub get_rid_of take_off",
    "textos": "mensajes mensaje textos texto sms mensajitos notificaciones avisos alertas",
}

FALSE_OPT_OUT_PATTERN = compile_pattern(
    r"""
    (?<!\bif you )\b(?:dont|do not|dnt|never|not|didnt|did not|no) (?:ever |please |mean (?:to )?|said |say |ask(?:ed)? |tell |told |want (?:you |them |it |this )?(?:guys )?to )*+(?:you to )?(?:stop|quit|unsubscribe|opt(?:ed)? out|remove|delete|take|cancel|end|turn off|forget|lose)\b.*?(?=\b(?:just|but|and|instead)\b|$)
    (?<!how )\b(?:did|have|has|had|do|does) (?:i|you|they|it|(?:the|your|my) \w+) (?:stop|unsubscribe|opt)\b.*
    \b(?:if|when|unless|once|after|before) i (?:\w+ )?(?:reply|text|send|say|type|write|<stop>|unsubscribe|opt out)\b.*
    \bwhat happens\b.*
    \b(?:do i|would i|will i) (?:have|need) to\b.*
    \b(?:sent|said|replied|texted|wrote|typed|put) <stop> (?:by|in|on) (?:mistake|accident|error)\b
    \bno (?:dejen?|paren?|dejes) de\b.*
    """,
    WORD_LISTS,
)
"""Taken out before a wish is looked for: the opposite of a wish, questions about one, slips."""

OPT_OUT_PATTERN = compile_pattern(
    r"""
    ^(?:(?!<stop>)<small> )*+<stop>(?: <small>| <stop>)*+$
    ^(?:(?!<stop> <stop_of>)<small> )*+<stop> <stop_of>
    ^(?:(?!no (?:more|<texts>))<polite> )*+(?:end|cancel|remove|enough|no more|no <texts>|<unsubscribe>|unsubscribed)(?: <polite>)*+$
    ^(?:<polite> )*+end (?:this|these|all|everything)(?: conversation| chat)?(?: <polite>)*+$
    ^<stop> (?:please|pls|plz|plese)\b(?! (?:the|my|it|a|by|at)\b)
    ^(?:<polite> )*+delete (?:it|this)(?: <polite>)*+$

    \b<stop>(?: <the>| \w+(?<!\band)(?<!\bor)(?<!\bto)(?<!\bby)(?<!\bthen)(?<!\bbefore))?(?: <the>)*+ <texts>\b
    \b<stop>(?: (?:all|the|these|this|please|fucking|f ing|freaking|damn|just|with|w|constantly))*+ <writing>\b
    \b<stop> sending(?: <the>)*+(?: <texts>| me(?! (?:the|a|my|wrong|letters|mail|bills|paper)\b)| us| to (?:me|this)| things| stuff|$)
    \b<stop> (?:getting|receiving)(?: (?:<the>|text|txt|sms))*+$
    \b(?:make (?:it|them|this|these)|(?:want|need|like) (?:it|this|them|these) to) stop$
    \b<texts> (?:\w+ )?(?:to|must|should|need to|have to) (?:stop|end|cease)\b
    \bhow (?:do|can|to) (?:i |you )?(?:stop|end) (?:this|these|them)$
    \bknock it off\b

    \b(?:end|cancel|disable|mute|deactivate|turn off|switch off|shut off)(?: <the>)*+ <texts>\b
    \b(?:turn|switch|shut) (?:off (?:these|those|them)|(?:these|those|them) off|(?:(?:the|all|my|your) )*+<texts> off)\b
    ^(?:<polite> )*+(?:turn (?:it|this|that) off|<texts> off)(?: <polite>)*+$

    \bno (?:more|further|mor)(?: <the>)*+ <texts>\b
    \benough (?:(?:with|of|the|these|your|already) )*+<texts>\b

    (?<!you )\b(?:<never>|quit|stop) (?:ever |you |please )*+<write>(?: (?:to|with))? (?:me|us|here|again|anything|any ?more|no more|this (?:phone )?number|my (?:phone|number|cell))\b
    \b(?:<never>|quit|stop) (?:ever )?(?:text|txt|texting|message|messaging) my (?!old\b)\w+\b
    \b(?:please|(?:can|could|will|would|why) (?:you|u)(?: guys)?(?: please| pls| plz)?) not <write> (?:me|us|here|this)\b
    \b(?:<never>|not) (?:contact|write|notify|reach)(?: me| us)? (?:by|via|through) <texts>\b
    \b<never> use (?:this|my) (?:number|phone|cell)(?: any ?more| for <texts>| <polite>)*+$
    \brefrain from <writing>\b
    ^(?:(?!<never>)<small> )*+<never> (?:ever )?<write>(?: <small>| any ?more)*+$
    \b<never> send (?:<texts>|(?:me|us|this number) (?:<texts>|anything|any ?more|another|these|stuff))\b
    \b<never> send(?: me| us)?(?: <the>| else| other)*+ (?:<texts>|anything)\b

    \b<never> (?:want|wanna|need|wish|care|like)(?: to)?(?: <get>)?(?: <the>)*+ <texts>\b
    ^(?:(?!<never>)<small> )*+<never> (?:want|wanna|need|wish)(?: to)?(?: <get>)? (?:any of (?:it|this)|these|those|them)(?: <small>| any ?more)*+$
    ^(?:(?!<never>)<small> )*+<never> (?:want|wanna|wish)(?: to)? <get> (?:this|that|anything)(?: <small>| any ?more| else)*+$
    \b<never> (?:want|wanna|wish|care|need) to hear from\b
    \b<never> (?:want|wanna|need|wish)(?: to)?(?: you| anyone| anybody)?(?: to)? (?:be )?(?:<write>|<writing>|texted|contacted|messaged)(?: me| us| anymore| again| by you|$)
    \b(?:not interested in|rather not|prefer not to)(?: <get>)?(?: <the>)*+ <texts>\b

    \b<unsubscribe>\b
    \bopt(?:ing|ed)? ?(?:me |us |my number |this number )?out\b
    \b(?:revoke|withdraw|rescind)(?: \w+)? (?:consent|permission)\b
    \b(?:no|not|never|dont|didnt) (?:\w+ ){0,2}(?:consent(?:ed)?|permission|agreed?|ask(?:ed)?|sign(?:ed)?(?: up)?) (?:to|for)(?: \w+){0,3} (?:<texts>|<write>)\b

    \b<remove> (?:me|us)\b(?! (?:as|from (?:\w+ )?(?:application|order|account|request|booking|policy|lease)))
    \b<remove> (?:my|our|this|the) (?:phone |cell |mobile )?(?:number|phone|cell)\b
    \b(?:take|get|keep) (?:me|us|(?:my|our|this) (?:phone |cell )?(?:number|phone|cell)) (?:off|out)\b
    \b(?:off|from) (?:of )?(?:your|the|this) (?:\w+ ){0,2}lists?\b
    ^(?:(?!(?:wrong (?:number|person|phone)|(?:this|it) is|i think)\b)<small> )*+(?:(?:you|u|i think you|you must|you guys) )?(?:have |got |ve )?(?:(?:this|it) is |its )?(?:the |a )?wrong (?:number|person|phone|phone number)(?: <small>)*+$

    \b(?:(?:wish|want|need|like|ask|asked) (?:to be|me)|(?:get|have) me) (?:removed|taken off|unsubscribed)\b
    \b(?:texting|messaging|reached|contacting) the wrong \w+$
    \bleave (?:me|us) alone\b
    \b(?:want|let me) out of (?:this|these|your)\b
    ^(?:<polite> )*+(?:go away|get lost|shut up)(?: <polite>)*+$
    ^(?:<polite> )*+(?:(?:fuck|f|piss|bugger|sod) off|(?:fuck|f|screw) (?:you|u)|eat shit)\b

    ^(?:<por_favor> )*+(?:alto|paren?|parar|basta|baja|detener|detengan|detenganse)(?: <por_favor>)*+$
    \bno me (?:envien?|mande[ns]?|escriba[ns]?|contacte[ns]?|textee[ns]?|manden?)\b(?! (?:la|el|una?|mi|otra|ese|esa)\b)
    \bno (?:envien?|manden?|escriban?) (?:nada|mas)\b
    \b(?:dej|par)(?:e|en|a|ar) (?:ya )?de (?:enviar|mandar|escribir|molestar|contactar|textear)
    \bno (?:quiero|deseo|quisiera)(?: (?:recibir|que|me|mas|estos|esos|sus|los|tener|sigan))*+ (?:<textos>|escriban|manden|envien|contacten)\b
    \b(?:no|basta de|cancelar?|cancelen)(?: (?:mas|los|estos|sus))*+ <textos>\b
    \b(?:dar|darme|denme|date|dame|deme|dese)(?: \w+)? de baja\b
    \b(?:borr|quit|elimin|sa[cq]u?)\w+ (?:mi|este|el) (?:numero|telefono|celular)\b
    ^(?:<por_favor> )*+(?:(?:es|tiene|tienen) )?(?:un |el )?numero equivocado(?: <por_favor>)*+$
    \bequivoco de (?:numero|persona)\b
    \bdej(?:en|e|a)me en paz\b
    """,
    WORD_LISTS
    | {
        "stop_of": r"or about for_[a-z0-9]{1,8}_[a-z0-9]{4}",
        "por_favor": "por favor porfa porfavor ya gracias hola que",
    },
)


TOPIC_PATTERN = compile_pattern(r"\b(?:about|for|regarding|concerning|sobre)\b (.+)", {})
EVERYTHING_PATTERN = compile_pattern(r"\b(?:all|everything|any|anything|ever|todo|todos)\b", {})


def is_opt_out(sentences: list[str]) -> bool:
    """Whether one of these sentences (small plain words, one space between) is such a wish."""
    return any(
        OPT_OUT_PATTERN.search(FALSE_OPT_OUT_PATTERN.sub("", sentence).strip())
        for sentence in sentences
    )


def opt_out_topic(sentences: list[str]) -> str:
    """What the wish is about, in the customer's words; empty where it is about everything."""
    if any(EVERYTHING_PATTERN.search(sentence) for sentence in sentences):
        return ""
    found = (TOPIC_PATTERN.search(sentence) for sentence in sentences if is_opt_out([sentence]))
    return " ".join(about[1] for about in found if about)
