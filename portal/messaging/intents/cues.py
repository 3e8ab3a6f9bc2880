"""The meanings of phrases, in the groups that a reading weighs."""

from portal.messaging.intents.question import Question

YES_WORDS = ("any.yes", "any.sign_yes")
NO_WORDS = ("any.no", "any.sign_no")
AGREEMENT = ("any.fine",)
STATEMENTS = {
    Question.NONE: (("arrival.yes", "time.yes"), ("arrival.no",)),
    Question.ARRIVAL: (("arrival.yes", "arrival.place"), ("arrival.no",)),
    Question.DECISION: (("decision.yes",), ("decision.no",)),
    Question.TIME: (("time.yes", "decision.yes"), ("time.no", "decision.no")),
    Question.WHICH: ((), ()),
}
"""What says yes or no to each question without the word."""
TAKES_AGREEMENT = (Question.DECISION, Question.TIME)
"""Questions to which "OK" is a yes."""
TIED_BY = {
    Question.ARRIVAL: ("any.trouble", "any.cancel"),
    Question.DECISION: ("any.cancel",),
}
"""What takes a yes to a question back, beside a condition."""
CONTRASTS = (
    "but", "however", "though", "although", "except", "pero", "aunque", "sino", "salvo", "excepto",
    "لكن", "ولكن", "لاكن", "ولاكن", "بس", "لكنها", "لكنه",
)  # fmt: skip
"""Words of a condition that only lead on to what is wrong: "it came, but it is damaged"."""
UNSURE = ("any.doubt", "any.sarcasm")
FOR_PERSON = (
    "any.trouble", "any.change", "any.cancel", "any.ask", "any.urgent", "any.not_stop",
    "any.stop_alone", "any.price",
)  # fmt: skip
MATTERS = (
    "any.trouble", "any.change", "any.cancel", "any.ask", "any.urgent", "any.call", "any.status",
    "any.condition", "any.sarcasm", "any.stop_alone", "any.price",
)  # fmt: skip
"""What a person must deal with, beside an answer."""
OPEN_WORDS = ("open", "opening", "close", "closing", "closed")
"""What asks for our hours beside a word for us: "is it still open?" is about a request."""
OUR_HOURS = (
    "abren", "abris", "abierto", "abiertos", "cierran", "cerrais", "horario", "horarios",
    "تفتحون", "تفتح", "تغلقون", "الدوام", "دوامكم",
)  # fmt: skip
"""Words that ask for the hours of an office."""
TELLS_UNASKED = (
    "arrival.no", "decision.no", "time.no", "any.condition", "any.correction", "any.sad",
)  # fmt: skip
"""What tells something where nothing is asked."""
PLEASANT = ("any.thanks", "any.fine", "any.courtesy", "any.sign_yes", "time.yes", "decision.yes")
MANY_WORDS = {
    Question.NONE: 3,
    Question.ARRIVAL: 4,
    Question.DECISION: 3,
    Question.TIME: 3,
    Question.WHICH: 3,
}
"""So many words that no phrase explains tell something, beside an answer to each question."""
