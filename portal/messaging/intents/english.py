"""The English table of replies."""

from portal.messaging.intents.patterns import IntentKind, LanguageRules, compile_pattern

WORD_LISTS = {
    "yes": "yes yess yesss yass yep yepp yup yeah yeahh yea yeh ye ya y sure correct affirmative"
    " absolutely definitely indeed si claro",
    "no": "no noo nooo nop nope nah naw n negative",
    "polite": "please pls plz ok okay oh well sorry hi hello hey now just sir maam u you thanks"
    " thank thx ty guys again",
    "texts": "text texts texting message messages messaging msg msgs sms alert alerts"
    " notification notifications",
    "fine": "ok okay k kk great perfect cool awesome lovely super good alright brilliant wonderful"
    " excellent fine nice noted understood",
    "thanks": "thanks thank thankyou thx thnx thanx ty tysm tks cheers appreciated gracias",
    "thing": "request order application appointment card repair booking account permit claim it",
    "it": "it its they theyve card the_card my_card package the_package my_package phone my_phone"
    " everything all",
    "came": "arrived arived arrive came come cam delivered here",
    "got": "got_it got received recieved recived have_it have_them",
    "havent": "hasnt has_not havent have_not didnt did_not isnt is_not wasnt arent never not",
    "bad": "broken damaged broke wrong cracked scratched scratch bent torn misspelled faulty"
    " defective doesnt_work does_not_work not_working missing smashed",
    "day": "today tomorrow tmrw tmrow tmr tomorow 2mrw 2moro tonight mon monday tue tues tuesday"
    r" wed weds wednesday thu thur thurs thursday fri friday sat saturday sun sunday"
    " weekdays weekends morning afternoon evening noon midday",
    "month": "jan january feb february mar march apr april may jun june jul july aug august sep"
    " sept september oct october nov november dec december",
    "clock": r"\d{1,2}(?:am|pm|a|p) \d{1,2}_(?:am|pm|oclock|o_clock) \d{1,2}_\d{2}(?:_?(?:am|pm))?"
    r" at_\d{1,2} after_\d{1,2} before_\d{1,2} \d{1,2}_\d{1,2}",
    "link": "at on the by after before around about between and of next this any day in or half"
    r" past quarter to am pm oclock o clock \d{1,4}(?:st|nd|rd|th)?",
    "suggest": "yes yep yeah ok okay sure hi hello how_about what_about can_we_do could_we_do"
    " lets_do lets_say make_it i_prefer maybe please perhaps",
    "time": r"<day> <clock> <month>_<link> \d{1,2}(?:st|nd|rd|th)?_(?:of_)?<month>"
    r" the_\d{1,2}(?:st|nd|rd|th)",
    "suits": "works work for me us is fine good great ok okay please pls thanks thank you then"
    " would be perfect best suits",
}

INTENT_PATTERNS: list[tuple[IntentKind, str]] = [
    # The word is there and the wish is not: a person reads it.
    (
        IntentKind.OTHER,
        r"""
        \b(?:dont|do not|never|not|wont|cant|didnt) (?:ever )?(?:stop|unsubscribe|quit|opt)\b
        \b(?:dont|do not|never|nobody|no one|didnt) (?:ever )?(?:call|called|phone|phoned|ring|rang)\b
        \b(?:bus|non|full|next|last|every|one) stop\b
        ^<yes> <no>\b
        """,
    ),
    (
        IntentKind.REOPEN,
        r"""^(?:<polite> )*+(?:re ?open|open)(?: (?:it|again|this|my request|<polite>))*+$""",
    ),
    (
        IntentKind.START,
        r"""
        ^(?:<polite> )*+(?:start|restart|unstop|resubscribe)(?: (?:again|<polite>))*+$
        \b(?:start|resume|restart) (?:(?:sending|the|my|your|me|again) )*+<texts>\b
        \bturn (?:(?:the|my|your) )*+<texts> (?:back )?on\b
        ^opt in$
        \bopt(?: me)?(?: back)? in\b
        \bsubscribe me again\b
        """,
    ),
    (
        IntentKind.HELP,
        r"""
        ^(?:<polite> )*+(?:help|info)(?: (?:me|<polite>))*+$
        ^(?:i )?(?:need|can i get|get)(?: some)? (?:help|info|information)(?: please)?$
        ^can i get (?:some )?(?:help|info|information)(?: please)?$
        ^(?:<polite> )*+(?:who is this|whos this|who are you|what is this|whats this|who am i (?:talking|texting) (?:to|with))(?: please)?$
        """,
    ),
    (
        IntentKind.THANKS,
        r"""
        ^(?:no|not a) (?:problem|probs|worries|rush|hurry|need|trouble)(?: <thanks>(?: you)?)?$
        ^(?:<fine> |got it )*+<thanks>(?: (?:you|u))? for\b(?!.*\b(?:but|however)\b)
        """,
    ),
    (
        IntentKind.NO,
        r"""
        ^(?:<polite> )*+<no>\b
        ^(?:<polite> )*+(?:please )?(?:dont|do not)(?: (?:go ahead|do it|please))*+$
        ^(?:not|never) (?:yet|received|recieved|arrived|delivered|here|come|came|got|so far|as of|showed|turned)\b
        \b(?:hasnt|has not|havent|have not|didnt|did not|never|not|isnt)(?: (?:even|actually|yet|ever|been))*+ (?:come|came|arrived?|received?|recieved?|gotten|got|get|seen|turned up|shown up|showed up|delivered|there|here)\b
        ^(?:still )?nothing(?: (?:yet|here|came|arrived|has come|so far))*+$
        \bstill (?:hasnt|havent|have not|has not|not|nothing|no)\b
        ^no (?:sign|trace)\b
        ^(?!<yes>\b)(?:\w+ ){0,4}(?:<came>|<got>)\b.* (?:<bad>)\b
        ^(?!<yes>\b)(?:\w+ ){0,4}(?:<came>|<got>) (?:<bad>)\b
        """,
    ),
    (
        IntentKind.CALL_ME,
        r"""
        ^(?:<polite> )*+(?:callme|cll me|call|phone|call back|callback)(?: <polite>)*+$
        (?<!nobody )\b(?:call|cll|phone|ring|telephone) me\b
        \bgive me a (?:call|ring|bell)\b
        \b(?:need|want|like) a (?:call|callback|phone call)(?: back)?$
        \b(?:have|need|get) (?:someone|somebody|anyone)(?: to)? (?:call|phone|ring)\b
        \b(?:can|could|will|would|may) (?:you|u|someone|somebody|anyone) (?:please )?(?:call|phone|ring)\b
        \b(?:speak|talk) (?:to|with) (?:a|an|someone|somebody|your)\b
        (?<!\bill )(?<!\bwill )(?<!\bcan i )\bcall ?back\b
        """,
    ),
    (
        IntentKind.STATUS,
        r"""
        ^(?:<polite> )*+(?:status|update|updates|track|tracking|eta)(?: (?:please|pls|update|my \w+))*+$
        \b(?:any|an|some|no) (?:\w+ )?(?:updates?|news|word|progress)\b
        \bstatus (?:of|update)\b
        \b(?:where|wher|were|whr|wheres)(?: is| s| are| re)? (?:my|the|our|it)\b
        ^(?:<polite> )*+when$
        \b(?:when) (?:will|is|does|do|can|should) (?:i|it|the|my|you|we|they)\b
        \bwhen (?:will|is|does|my|it)\b
        \bhow (?:much longer|soon)\b
        ^(?:<polite> )*+how long\b
        \b(?:how is|hows|hows) (?:it|my|the|things)\b
        \b(?:whats|what is) (?:happening|going on|taking so long|next|the (?:status|update|latest|eta|news|hold up))\b
        \bwhat happens next\b
        \bwhat stage\b
        \bwhy is it taking\b
        ^who has (?:it|my)\b
        \b(?:is|are) (?:it|my \w+|they) (?:ready|done|finished|coming|on (?:its|the) way)\b
        \b(?:has|have) (?:it|my \w+|you) (?:been )?(?:shipped|sent|approved|posted|dispatched|started)\b
        \bdid (?:you send|it ship|it go)\b
        ^(?!.*\b(?:and|nobody)\b).*\bstill waiting\b
        \bwaiting \d+ \w+ where\b
        \bcheck(?:ing)? (?:in )?(?:on )?(?:the |my )?(?:status|application|card|order|request)\b
        \bfollowing up on\b
        \bany idea when\b
        """,
    ),
    (
        IntentKind.TIME,
        r"""
        ^(?:<suggest> )*+(?:(?!<time>)<link> )*+<time>(?: (?:<link>|<day>|<clock>|<month>))*+(?: <suits>)*+$
        """,
    ),
    (
        IntentKind.YES,
        r"""
        ^(?:<polite> )*+<yes>(?: (?:<yes>|<polite>|<it>|<came>|<got>|<thanks>|<fine>|it|i|we|has|have|had|did|do|does|is|was|am|can|go|ahead|today|yesterday|this|morning|afternoon|evening|on|in|at|the|mail|post|mailbox|monday|tuesday|wednesday|thursday|friday|saturday|sunday|last|night|safely|already|finally|of|course|thats|working|so|much|very|much|all|and|to|me|for|noon|around|showed|up))*+$
        ^(?:(?!please do\b)<polite> )*+(?:it (?:did|has)|of course|absolutely|go ahead|do it|i agree|approved|please do|<fine> go ahead|sounds good go ahead)(?: (?:it|has|did|arrived|come|you|please|<thanks>|do))*+$
        ^(?:(?:<it>|ive|i|we|just|finally|already|has|have|is|was|been|all|good|hi) )*+(?:<came>|in the mail(?:box)?)(?: (?:today|yesterday|this|last|night|morning|afternoon|evening|now|safely|with|you|u|fine|ok|it|in|the|mail|mailbox|already|just|finally|<thanks>|so|much|well|everything))*+$
        ^(?:(?!<got>)(?:<it>|ive|i|we|just|finally|already|has|have|is|was|been|all|good|hi) )*+<got>(?: (?:today|yesterday|this|last|night|morning|afternoon|evening|now|safely|with|you|u|fine|ok|it|in|the|mail|mailbox|already|just|finally|<thanks>|so|much|well|everything))*+$
        ^it (?:came|arrived|was in|was delivered)(?: (?:in|the|mail|mailbox|today|yesterday|this|last|morning|afternoon|evening|night|<thanks>|you))*+$
        """,
    ),
    (
        IntentKind.THANKS,
        r"""
        ^(?:(?:<fine>|that is|thats) )*+(?:(?:many|so many) )?<thanks>\b(?!.*\b(?:but|however)\b).{0,60}$
        ^(?:i )?(?:really |much )?appreciated?(?: (?:it|that|the \w+|you\w*|all|your|help))*+$
        ^(?:sounds )?<fine>(?: (?:then|news|one|to|know|job|service|<fine>|<thanks>|you|that|is|thats))*+$
        ^(?:youre the best|you guys are (?:great|awesome|the best)|god bless(?: you)?|(?:have|enjoy)(?: (?:a|your))? (?:good|great|nice|lovely) (?:day|one|weekend|evening))$
        """,
    ),
]

RULES = tuple((kind, compile_pattern(lines, WORD_LISTS)) for kind, lines in INTENT_PATTERNS)

EXCLUSIONS = {
    # A yes with something wrong is no yes: it would close the request.
    IntentKind.YES: compile_pattern(
        r"""
        \b(?:but|however|except|although|no|not|never|nothing|hasnt|havent|didnt|isnt|doesnt|if|unless)\b
        \b(?:cant|wont|wrong|broken|damaged|missing|torn|bent|cracked|scratched?|faulty|defective)\b
        \b(?:question|problem|issue|mistake|error|wait|complain|complaint)\b
        ^yeah right$
        """,
        WORD_LISTS,
    ),
    # A no that says the opposite, or nothing.
    IntentKind.NO: compile_pattern(
        r"""
        ^<no> (?:(?:wait|actually|sorry|i mean) )*+(?:<it>|ive|i|we)(?:(?! <got>) (?:has|have|did|just|finally|already|is)\b)*+ (?:<came>|<got>)\b(?!.*\b(?:<bad>)\b)
        ^<no> (?:its|it is) (?:\w+ )?(?:here|fine|ok|good)\b
        ^<no> (?:idea|clue|one|body)\b
        ^not (?:sure|certain|now|really)\b
        ^never ?mind\b
        ^<no> (?:wait |i mean |sorry |actually )*+<yes>\b
        ^(?:nothing is|cant complain)\b
        \b(?:if|hope|when) (?:it|they)\b
        \b(?:but|now) (?:it|its|i|ive)(?: (?:has|is|just|have))? (?:<came>|<got>)\b
        """,
        WORD_LISTS,
    ),
    # When something else is, is no question about theirs; nor may a date be told for a wish.
    IntentKind.STATUS: compile_pattern(
        r"""
        \b(?:fee|cost|pay|pick (?:it|them) up|hours|start date|talk about)\b
        """,
        WORD_LISTS,
    ),
    # Thanks with a matter of its own.
    IntentKind.THANKS: compile_pattern(
        r"""\b(?:but|however|except|still need|wrong|broken|where|when|why|how)\b""", WORD_LISTS
    ),
}

CANCEL_REQUEST_PATTERN = compile_pattern(
    r"""
    ^(?:<polite> )*+cancel(?: <polite>)*+$
    \bcancel (?:\w+ ){0,2}<thing>\b
    \b(?:want|like|need) (?:to )?cancel\b
    """,
    WORD_LISTS,
)

CONTACT_REASONS = (
    (
        "complaint",
        compile_pattern(
            r"""
            \b(?:complain|complaint|ridiculous|unacceptable|terrible|worst|awful|useless|disgusting|unhappy|disappointed|angry|joke|scam|rude|wtf|fed up)\b
            \b(?:nobody|no one) (?:\w+ )?(?:called|answers?|came|calls|replies|replied)\b
            \b(?:<bad>)\b
            \bnever (?:called|came|arrived|answered)\b
            """,
            WORD_LISTS,
        ),
    ),
    (
        "change",
        compile_pattern(
            r"""
            ^(?>.*?\b(?:change|update|correct|fix|edit|add|remove|reschedule|move|cancel|postpone|instead)\b).*\b(?:address|name|number|phone|email|appointment|date|time|delivery|application|order|request|account|it)\b
            \b(?:reschedule|moved house|i moved|new address|new number|misspelled|spelled wrong)\b
            \binstead\b
            """,
            WORD_LISTS,
        ),
    ),
    (
        "question",
        compile_pattern(
            r"""
            ^(?:<polite> )*+(?:how|what|which|who|why|where|when|can|could|do|does|did|is|are|will|would|should|may)\b
            \bquestion\b
            """,
            WORD_LISTS,
        ),
    ),
)

OWN = (
    "the my i it its is was to you for of and but not yes yep yeah thanks thank please when where"
    " how what who why today tomorrow got came has have had did does arrived received call"
    " still yet nothing never hasnt havent didnt with this that on at am pm status news hello"
    " hi good great can could would will are we they im ive any nobody worries problem"
    " idea wait sure go ahead monday tuesday wednesday thursday friday saturday sunday"
)
"""Words by which a reply is known to be in this language."""

ENGLISH = LanguageRules(
    language="en",
    exclusive_words=frozenset(OWN.split()),
    rules=RULES,
    exclusions=EXCLUSIONS,
    cancel=CANCEL_REQUEST_PATTERN,
    bare=frozenset(f"{WORD_LISTS['yes']} {WORD_LISTS['no']}".split()) | {"not yet"},
    reasons=CONTACT_REASONS,
)
