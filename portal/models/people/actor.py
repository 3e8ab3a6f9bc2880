"""The actor of a change: staff, a customer, another system by its key, or Kept itself."""

from dataclasses import dataclass
from enum import StrEnum


class ActorKind(StrEnum):
    """The kinds of actor."""

    STAFF = "staff"
    CUSTOMER = "customer"
    API = "api"
    SYSTEM = "system"


@dataclass(frozen=True)
class Actor:
    """The actor of an event. ``name`` is how the timeline shows it to staff.

    ``via_key`` is the API key by which a member of staff acts; empty at the desk.
    """

    kind: ActorKind
    name: str
    staff_id: int | None = None
    via_key: str = ""


SYSTEM_ACTOR = Actor(ActorKind.SYSTEM, "Kept")
CUSTOMER_ACTOR = Actor(ActorKind.CUSTOMER, "Customer")
