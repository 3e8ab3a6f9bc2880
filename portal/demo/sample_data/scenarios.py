"""Forty stories: which stage a request has come to, how it stands there, what was said.

Every state that a request can be in occurs, so that whoever looks around finds each of them.
"""

from dataclasses import dataclass
from enum import Enum, auto


class Ending(Enum):
    """How a request stands now."""

    HANDED_OVER = auto()
    NOT_TAKEN_UP = auto()
    WORKING = auto()
    LATE = auto()
    HELD = auto()
    WAITING = auto()
    REMINDED = auto()
    SENT_BACK = auto()
    ASKED = auto()
    COMPLETED = auto()
    DENIED = auto()
    DECLINED = auto()
    CANCELLED = auto()


class Talk(Enum):
    """What was said on the way."""

    NEWS = auto()
    QUESTION = auto()
    UNANSWERED = auto()
    LONG_UNANSWERED = auto()
    CALL = auto()
    PROMISE = auto()
    PROMISE_KEPT = auto()
    PROMISE_MOVED = auto()
    PROMISE_LATE = auto()
    THANKS = auto()


@dataclass(frozen=True)
class Story:
    """A request of this workflow that has come to this stage.

    ``beside`` are the stages next to it that are done; ``said`` happened at the stage named.
    """

    workflow: str
    stage: str
    ending: Ending
    said: tuple[tuple[str, Talk], ...] = ()
    beside: tuple[str, ...] = ()
    title: str = ""


CARD, REPAIR = "card-application", "device-repair"
PERMIT, FIBRE = "building-permit", "fibre-installation"

MARTINS = Story(
    CARD, "made", Ending.HANDED_OVER, (("decision", Talk.QUESTION),), title="Everyday credit card"
)

STORIES = (
    Story(CARD, "received", Ending.WORKING),
    Story(REPAIR, "quote", Ending.WAITING),
    Story(PERMIT, "plans-review", Ending.WORKING, (("plans-review", Talk.QUESTION),)),
    Story(FIBRE, "consent", Ending.HELD, (("survey", Talk.NEWS),)),
    Story(CARD, "decision", Ending.HANDED_OVER),
    Story(REPAIR, "diagnosis", Ending.WORKING, (("diagnosis", Talk.UNANSWERED),)),
    Story(PERMIT, "drawings", Ending.WAITING),
    Story(FIBRE, "digging", Ending.LATE, (("digging", Talk.CALL), ("digging", Talk.PROMISE_LATE))),
    Story(CARD, "decision", Ending.LATE, (("decision", Talk.LONG_UNANSWERED),)),
    Story(REPAIR, "repair", Ending.WORKING, (("repair", Talk.PROMISE),)),
    Story(PERMIT, "plans-review", Ending.WORKING, beside=("fire-review",)),
    Story(FIBRE, "activation", Ending.ASKED),
    Story(CARD, "delivered", Ending.ASKED),
    Story(REPAIR, "diagnosis", Ending.HANDED_OVER, (("received", Talk.THANKS),)),
    Story(PERMIT, "drawings", Ending.SENT_BACK, (("intake", Talk.QUESTION),)),
    Story(FIBRE, "installation", Ending.WORKING, (("appointment", Talk.PROMISE_KEPT),)),
    Story(CARD, "made", Ending.WORKING, (("made", Talk.NEWS), ("decision", Talk.QUESTION))),
    Story(REPAIR, "pick-up", Ending.COMPLETED, (("repair", Talk.NEWS),)),
    Story(PERMIT, "intake", Ending.WORKING),
    Story(FIBRE, "survey", Ending.NOT_TAKEN_UP, (("ordered", Talk.QUESTION),)),
    Story(CARD, "courier", Ending.WORKING, (("courier", Talk.NEWS),)),
    Story(REPAIR, "quote", Ending.DECLINED),
    Story(PERMIT, "decision", Ending.WORKING, beside=()),
    Story(FIBRE, "appointment", Ending.HANDED_OVER),
    Story(CARD, "delivered", Ending.DENIED),
    Story(REPAIR, "quote", Ending.REMINDED),
    Story(CARD, "made", Ending.NOT_TAKEN_UP, (("made", Talk.CALL), ("made", Talk.UNANSWERED))),
    Story(FIBRE, "survey", Ending.WORKING, (("survey", Talk.PROMISE_MOVED),)),
    Story(CARD, "delivered", Ending.COMPLETED, (("made", Talk.THANKS),)),
    Story(REPAIR, "testing", Ending.HANDED_OVER),
    Story(PERMIT, "fire-review", Ending.HANDED_OVER),
    Story(CARD, "courier", Ending.HELD),
    Story(REPAIR, "repair", Ending.LATE, (("repair", Talk.PROMISE_LATE),)),
    Story(PERMIT, "issue", Ending.COMPLETED, (("plans-review", Talk.QUESTION),)),
    Story(CARD, "decision", Ending.CANCELLED, (("decision", Talk.CALL),)),
    Story(REPAIR, "pick-up", Ending.WAITING),
    Story(CARD, "courier", Ending.HANDED_OVER, (("made", Talk.PROMISE_KEPT),)),
    Story(FIBRE, "activation", Ending.WORKING, (("activation", Talk.NEWS),)),
    Story(CARD, "received", Ending.WORKING, (("received", Talk.UNANSWERED),)),
)

PLACES = {CARD: "US", PERMIT: "US", REPAIR: "GB", FIBRE: "GB"}

TITLES = {
    CARD: ("Everyday credit card", "Travel credit card", "Student credit card", "Gold credit card"),
    REPAIR: (
        "Phone with a cracked screen", "Laptop that does not charge", "Tablet, battery swollen",
        "Camera, lens does not focus", "Headphones, left side silent",
    ),
    PERMIT: (
        "Garage at 14 Alder Street", "Roof terrace at 3 Canal Row", "Shop front, 88 Main Street",
        "Two-storey extension, 27 Elm Road", "Garden house at 9 Lake View",
    ),
    FIBRE: (
        "Fibre 500 at 22 Orchard Road", "Fibre 1000 at 5 Mill Lane", "Fibre 150 at 71 Station Road",
        "Fibre 500 at The Old Forge",
    ),
}  # fmt: skip

QUESTIONS = {
    CARD: (
        ("Can you send it to my office instead of home?", "Yes, gladly. It goes to your office."),
        ("Do I get the PIN in the same letter?", "No, the PIN comes two days later by itself."),
        ("I moved last week, do you have my new address?", "We have it now, thank you."),
    ),
    REPAIR: (
        ("Will my photos still be there afterwards?", "Yes. We never touch what is stored on it."),
        ("Could you look at the charging port too?", "We will, and tell you before it costs more."),
    ),
    PERMIT: (
        ("Do you need the drawings on paper as well?", "No, the files are all we need."),
        ("May I begin with the foundations already?", "Not yet, please: only with the permit."),
    ),
    FIBRE: (
        ("Does the cable come through the front garden?", "Along the path, so nothing is dug up."),
        ("Do I have to be at home for this?", "Only for the installation, about two hours."),
    ),
}

PROMISES = {
    CARD: "We call you with the exact day of delivery",
    REPAIR: "We tell you whether the part is in stock",
    PERMIT: "We send you the reviewer's remarks",
    FIBRE: "We send you the route of the duct",
}

HOLDS = {
    CARD: "You asked us to deliver after your holiday",
    REPAIR: "The part is on its way from the maker",
    PERMIT: "The plot is being measured again",
    FIBRE: "The landowner decides at a meeting next week",
}

SENT_BACK = "Sheet 3 lacks the distance to the boundary; please add it"
GIVEN_UP = "You told us that you no longer need it"
