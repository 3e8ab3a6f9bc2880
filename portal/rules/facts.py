"""What the rules need to know of one request, loaded once and passed to them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from portal.models.monitoring.stage_duration import NO_STAGE_DURATIONS, StageDurations
from portal.models.people.actor import Actor
from portal.models.people.staff_member import StaffMember
from portal.models.requests.service_request import ServiceRequest
from portal.rules.colleague import Colleague
from portal.rules.roster import Roster


@dataclass(frozen=True, slots=True)
class WorkflowFacts:
    """What holds for every request of one workflow version, read once in a transaction.

    ``stage_ids`` are the database's ids of the stages, by key; ``stage_durations`` is what has been
    measured of requests of the same workflow.
    """

    roster: Roster
    stage_ids: Mapping[str, int]
    stage_durations: StageDurations = NO_STAGE_DURATIONS


@dataclass(frozen=True, slots=True)
class Facts:
    """One request with its parts, the facts of its workflow, the actor and the time."""

    request: ServiceRequest
    workflow: WorkflowFacts
    actor: Actor
    now: datetime

    @property
    def roster(self) -> Roster:
        """Who can be given what in this request's workflow."""
        return self.workflow.roster

    @property
    def person(self) -> StaffMember | None:
        """The member of staff who acts; None where a customer or a system does."""
        staff_id = self.actor.staff_id
        return None if staff_id is None else self.roster.person(staff_id)

    @property
    def colleague(self) -> Colleague | None:
        """The same with their departments, for authorization."""
        return None if self.person is None else self.roster.colleague(self.person)
