"""Forty stories: the stage of a request, its state there, and its messages.

Every state of a request occurs.
"""

from dataclasses import dataclass
from enum import Enum, auto


class EndState(Enum):
    """The state in which a scenario ends."""

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


class Exchange(Enum):
    """A message, call or promise on the way."""

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
class Scenario:
    """A request of this workflow at this stage.

    ``also_done`` are parallel stages that are completed; ``said`` are exchanges at the stage named.
    """

    workflow: str
    stage: str
    ending: EndState
    exchanges: tuple[tuple[str, Exchange], ...] = ()
    also_done: tuple[str, ...] = ()
    title: str = ""


CARD, REPAIR = "card-application", "device-repair"
PERMIT, FIBRE = "building-permit", "fibre-installation"

MARTIN_SCENARIO = Scenario(
    CARD,
    "made",
    EndState.HANDED_OVER,
    (("decision", Exchange.QUESTION),),
    title="Everyday credit card",
)

SCENARIOS = (
    Scenario(CARD, "received", EndState.WORKING),
    Scenario(REPAIR, "quote", EndState.WAITING),
    Scenario(PERMIT, "plans-review", EndState.WORKING, (("plans-review", Exchange.QUESTION),)),
    Scenario(FIBRE, "consent", EndState.HELD, (("survey", Exchange.NEWS),)),
    Scenario(CARD, "decision", EndState.HANDED_OVER),
    Scenario(REPAIR, "diagnosis", EndState.WORKING, (("diagnosis", Exchange.UNANSWERED),)),
    Scenario(PERMIT, "drawings", EndState.WAITING),
    Scenario(
        FIBRE,
        "digging",
        EndState.LATE,
        (("digging", Exchange.CALL), ("digging", Exchange.PROMISE_LATE)),
    ),
    Scenario(CARD, "decision", EndState.LATE, (("decision", Exchange.LONG_UNANSWERED),)),
    Scenario(REPAIR, "repair", EndState.WORKING, (("repair", Exchange.PROMISE),)),
    Scenario(PERMIT, "plans-review", EndState.WORKING, also_done=("fire-review",)),
    Scenario(FIBRE, "activation", EndState.ASKED),
    Scenario(CARD, "delivered", EndState.ASKED),
    Scenario(REPAIR, "diagnosis", EndState.HANDED_OVER, (("received", Exchange.THANKS),)),
    Scenario(PERMIT, "drawings", EndState.SENT_BACK, (("intake", Exchange.QUESTION),)),
    Scenario(FIBRE, "installation", EndState.WORKING, (("appointment", Exchange.PROMISE_KEPT),)),
    Scenario(
        CARD, "made", EndState.WORKING, (("made", Exchange.NEWS), ("decision", Exchange.QUESTION))
    ),
    Scenario(REPAIR, "pick-up", EndState.COMPLETED, (("repair", Exchange.NEWS),)),
    Scenario(PERMIT, "intake", EndState.WORKING),
    Scenario(FIBRE, "survey", EndState.NOT_TAKEN_UP, (("ordered", Exchange.QUESTION),)),
    Scenario(CARD, "courier", EndState.WORKING, (("courier", Exchange.NEWS),)),
    Scenario(REPAIR, "quote", EndState.DECLINED),
    Scenario(PERMIT, "decision", EndState.WORKING, also_done=()),
    Scenario(FIBRE, "appointment", EndState.HANDED_OVER),
    Scenario(CARD, "delivered", EndState.DENIED),
    Scenario(REPAIR, "quote", EndState.REMINDED),
    Scenario(
        CARD,
        "made",
        EndState.NOT_TAKEN_UP,
        (("made", Exchange.CALL), ("made", Exchange.UNANSWERED)),
    ),
    Scenario(FIBRE, "survey", EndState.WORKING, (("survey", Exchange.PROMISE_MOVED),)),
    Scenario(CARD, "delivered", EndState.COMPLETED, (("made", Exchange.THANKS),)),
    Scenario(REPAIR, "testing", EndState.HANDED_OVER),
    Scenario(PERMIT, "fire-review", EndState.HANDED_OVER),
    Scenario(CARD, "courier", EndState.HELD),
    Scenario(REPAIR, "repair", EndState.LATE, (("repair", Exchange.PROMISE_LATE),)),
    Scenario(PERMIT, "issue", EndState.COMPLETED, (("plans-review", Exchange.QUESTION),)),
    Scenario(CARD, "decision", EndState.CANCELLED, (("decision", Exchange.CALL),)),
    Scenario(REPAIR, "pick-up", EndState.WAITING),
    Scenario(CARD, "courier", EndState.HANDED_OVER, (("made", Exchange.PROMISE_KEPT),)),
    Scenario(FIBRE, "activation", EndState.WORKING, (("activation", Exchange.NEWS),)),
    Scenario(CARD, "received", EndState.WORKING, (("received", Exchange.UNANSWERED),)),
)

COUNTRIES = {CARD: "US", PERMIT: "US", REPAIR: "GB", FIBRE: "GB"}

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
CANCEL_REASON = "You told us that you no longer need it"
