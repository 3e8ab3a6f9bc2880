"""A message, understood. Pure values."""

from dataclasses import dataclass

from portal.messaging.intents.kinds import IntentKind, StopScope


@dataclass(frozen=True, slots=True)
class Intent:
    """A reply, understood.

    ``answer_words``: what the customer wrote, trimmed, to be kept with the answer. ``is_keyword``:
    it was a carrier's keyword and nothing else, so Twilio may have answered it already.
    ``cancel``: it may mean "cancel my request", which is for a person. ``bare``: a yes or no
    with no further words. ``about``: what a stop is about, in small plain words; empty where it
    is about everything. ``needs_reading``: a stop that also says something which a person should
    read: a wrong number, a question, a call wanted, a story. ``reason``: why they write, as a
    Contact says it, where it is plain. ``language``: the one that it is plainly in, if it is.
    ``needs_owner``: it asks or tells something beside what the machine can answer. ``is_urgent``:
    something was stolen, somebody is hurt, fraud. ``scope``: what STOP_PARTIAL is about, with the
    channel that is to stop (``sms``, ``email``) or the words in ``about``; NIGHT of a START is a
    wish for texts at any hour. ``is_wrong``: it came,
    and something about it is wrong. ``is_statement``: the answer says itself that it came or did
    not, so it needs no question: "it is here", not "yes". ``because``: the words
    that decided, as the desk shows them.
    """

    kind: IntentKind
    answer_words: str
    is_keyword: bool = False
    cancel: bool = False
    bare: bool = False
    about: str = ""
    needs_reading: bool = False
    reason: str = ""
    language: str = ""
    needs_owner: bool = False
    is_urgent: bool = False
    scope: StopScope | None = None
    is_wrong: bool = False
    is_statement: bool = False
    because: str = ""
