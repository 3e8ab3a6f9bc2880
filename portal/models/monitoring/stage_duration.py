"""How long things have taken: what the dates that we believe in are measured from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlmodel import Field, SQLModel

from portal.models.columns import moment
from portal.models.people.department import Department
from portal.workflows import WorkflowDefinition

WHOLE = ""
"""In place of a stage: the request from its opening to its end."""

OLD_MEASURED, OLD_EXPECTED = 2, 3
"""Far past its like: so many times what four in five took; unmeasured, what was expected."""


class Pace(SQLModel, table=True):
    """How long one stage of a kind of request takes, from those that were done lately.

    In seconds of the time that counts there: the department's hours, or all hours. Half are done
    within ``half_seconds``, four in five within ``most_seconds``.
    """

    __tablename__ = "pace"

    workflow_key: str = Field(primary_key=True, max_length=64)
    stage_key: str = Field(primary_key=True, max_length=64)
    half_seconds: int
    most_seconds: int
    measured: int
    measured_at: datetime = moment()

    @property
    def half(self) -> timedelta:
        """Within it half are done."""
        return timedelta(seconds=self.half_seconds)

    @property
    def most(self) -> timedelta:
        """Within it four in five are done."""
        return timedelta(seconds=self.most_seconds)


@dataclass(frozen=True)
class Paces:
    """What has been measured of one kind of request, by stage; ``WHOLE`` is the request itself."""

    measured: Mapping[str, Pace] = field(default_factory=dict)

    def of(self, stage: str) -> Pace | None:
        """The pace of that stage; None where too few of its like are done yet."""
        return self.measured.get(stage)

    def ages_at(
        self,
        definition: WorkflowDefinition,
        departments: Mapping[str, Department],
        opened_at: datetime,
    ) -> datetime:
        """From when on a request opened then has been open far longer than its like."""
        whole = self.of(WHOLE)
        if whole is not None:
            return opened_at + OLD_MEASURED * whole.most
        ends: dict[str, datetime] = {}
        for stage in (stage for leg in definition.legs() for stage in leg):
            begins = max((ends[key] for key in stage.after), default=opened_at)
            ends[stage.key] = departments[stage.department].calendar.add(begins, stage.expected)
        return opened_at + OLD_EXPECTED * (max(ends.values()) - opened_at)


NO_PACES = Paces()
