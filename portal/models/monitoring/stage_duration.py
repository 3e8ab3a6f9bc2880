"""Measured durations of stages, from which expected dates are estimated."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlmodel import Field, SQLModel

from portal.models.columns import timestamp_column
from portal.models.people.department import Department
from portal.workflows import WorkflowDefinition

WHOLE_REQUEST = ""
"""In place of a stage: the request from its opening to its end."""

AGEING_FACTOR_MEASURED, AGEING_FACTOR_EXPECTED = 2, 3
"""Overdue age: this many times the 80th percentile, or where unmeasured the expected time."""


class StageDuration(SQLModel, table=True):
    """How long one stage of a workflow takes, from recently completed requests.

    In seconds of the time that counts: the department's hours, or all hours. Half are done
    within ``p50_seconds``, four in five within ``p80_seconds``.
    """

    __tablename__ = "stage_duration"

    workflow_key: str = Field(primary_key=True, max_length=64)
    stage_key: str = Field(primary_key=True, max_length=64)
    p50_seconds: int
    p80_seconds: int
    sample_count: int
    measured_at: datetime = timestamp_column()

    @property
    def p50(self) -> timedelta:
        """Within it half are done."""
        return timedelta(seconds=self.p50_seconds)

    @property
    def p80(self) -> timedelta:
        """Within it four in five are done."""
        return timedelta(seconds=self.p80_seconds)


@dataclass(frozen=True)
class StageDurations:
    """The measured durations of one workflow, by stage; ``WHOLE_REQUEST`` is the whole request."""

    measured: Mapping[str, StageDuration] = field(default_factory=dict)

    def of(self, stage: str) -> StageDuration | None:
        """The measured duration of that stage; None with too few samples."""
        return self.measured.get(stage)

    def overdue_age_at(
        self,
        definition: WorkflowDefinition,
        departments: Mapping[str, Department],
        opened_at: datetime,
    ) -> datetime:
        """From when on a request that was opened then has been open far longer than others."""
        request_duration = self.of(WHOLE_REQUEST)
        if request_duration is not None:
            return opened_at + AGEING_FACTOR_MEASURED * request_duration.p80
        ends: dict[str, datetime] = {}
        for stage in (stage for level in definition.stage_levels() for stage in level):
            begins = max((ends[key] for key in stage.after), default=opened_at)
            ends[stage.key] = departments[stage.department].calendar.add(begins, stage.expected)
        return opened_at + AGEING_FACTOR_EXPECTED * (max(ends.values()) - opened_at)


NO_STAGE_DURATIONS = StageDurations()
