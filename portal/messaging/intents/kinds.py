"""The kinds of meaning that a customer's message can have."""

from enum import StrEnum


class IntentKind(StrEnum):
    """What a message asks of us.

    ``STOP_PARTIAL``: fewer messages, not none. ``CHOICE`` answers "which?". ``REACTION``: a sign
    put on a message of ours. ``ASK_BACK``: it may mean two things, and one line asks which.
    ``LINK``: the link or the reference is lost. ``OTHER`` is for a person.
    """

    STOP = "stop"
    STOP_PARTIAL = "stop_partial"
    START = "start"
    HELP = "help"
    YES = "yes"
    NO = "no"
    STATUS = "status"
    CALL_ME = "call_me"
    THANKS = "thanks"
    TIME = "time"
    CHOICE = "choice"
    REOPEN = "reopen"
    LINK = "link"
    REACTION = "reaction"
    ASK_BACK = "ask_back"
    OTHER = "other"


class StopScope(StrEnum):
    """What a wish for fewer messages is about (``IntentKind.STOP_PARTIAL``)."""

    NIGHT = "night"
    REQUEST = "request"
    CHANNEL = "channel"
    QUESTIONS = "questions"
    FEWER = "fewer"
