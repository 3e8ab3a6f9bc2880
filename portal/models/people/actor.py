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
    """The actor of an event. ``name`` is how the timeline shows it to staff."""

    kind: ActorKind
    name: str
    staff_id: int | None = None


SYSTEM_ACTOR = Actor(ActorKind.SYSTEM, "Kept")
CUSTOMER_ACTOR = Actor(ActorKind.CUSTOMER, "Customer")
