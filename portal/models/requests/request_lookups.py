"""What a loaded request answers without a change: its stages, question, link and handoffs."""

from datetime import datetime
from typing import TYPE_CHECKING

from portal.errors import BadInput, Conflict, VersionConflict
from portal.models.requests.follow_up import AnswerType, FollowUp
from portal.models.requests.handoff import Handoff
from portal.models.requests.request_status import CLOSED_STATUSES, RequestStatus
from portal.models.requests.stage_run import StageRun
from portal.models.requests.tracking_link import TrackingLink
from portal.models.requests.workflow import Workflow
from portal.workflows import StageDefinition, WorkflowDefinition


class RequestLookups:
    """The read-only part of ServiceRequest, whose columns and relationships it uses."""

    if TYPE_CHECKING:
        reference: str
        title: str
        status: RequestStatus
        version: int
        erased_at: datetime | None
        workflow: Workflow
        runs: list[StageRun]
        handoffs: list[Handoff]
        follow_ups: list[FollowUp]
        links: list[TrackingLink]

    @property
    def definition(self) -> WorkflowDefinition:
        """The workflow version that this request follows to its end."""
        return self.workflow.definition

    def title_in(self, locale: str | None) -> str:
        """The title that the customer reads in this language."""
        return self.definition.title_in(self.title, locale)

    @property
    def is_closed(self) -> bool:
        """Whether the request is completed, declined or cancelled."""
        return self.status in CLOSED_STATUSES

    @property
    def open_runs(self) -> list[StageRun]:
        """The stage runs that are open now, in the order of their opening."""
        return [run for run in self.runs if run.is_open]

    @property
    def open_question(self) -> FollowUp | None:
        """The newest question that the customer has not answered."""
        return next((f for f in reversed(self.follow_ups) if f.is_asked), None)

    @property
    def planned_confirmation(self) -> FollowUp | None:
        """The confirmation that is planned and not asked yet, once all stages are done."""
        if self.open_runs or self.open_question is not None:
            return None
        return next(
            (
                question
                for question in reversed(self.follow_ups)
                if question.is_pending and question.expects == AnswerType.YES_NO
            ),
            None,
        )

    def takes_wrong(self, question: FollowUp) -> bool:
        """Whether "yes, but something is wrong" answers this question."""
        return self.definition.question(question.key).wrong is not None

    @property
    def booked_visit(self) -> FollowUp | None:
        """The newest question whose answer is a booked visit, past or ahead.

        It lasts until its window ends or it is cancelled, whatever becomes of its stages.
        """
        return next((f for f in reversed(self.follow_ups) if f.visit_window), None)

    @property
    def live_link(self) -> TrackingLink | None:
        """The newest tracking link that is not revoked."""
        return next((link for link in reversed(self.links) if link.revoked_at is None), None)

    def pending_handoff(self, run: StageRun) -> Handoff | None:
        """The handoff by which this run waits to be accepted, if it does."""
        return next((h for h in self.handoffs if h.is_pending and h.is_of(run)), None)

    def get_open_run(self, stage: str | None) -> StageRun:
        """The open run of a stage, or the only open run where no stage is named.

        Raises BadInput for an unknown stage, or where several are open and none is named;
        Conflict where the stage is not open.
        """
        runs = self.open_runs
        if stage is not None:
            self.check_stage(stage)
            runs = [run for run in runs if run.stage_key == stage]
            if not runs:
                raise Conflict(f"The stage {stage!r} is not open now.")
        if not runs:
            raise Conflict(f"No stage of {self.reference} is open: it is {self.status_text}.")
        if len(runs) > 1:
            keys = ", ".join(run.stage_key for run in runs)
            raise BadInput(
                f"Several stages are open: {keys}. Say which one is meant.",
                fields={"stage": f"one of {keys}"},
            )
        return runs[0]

    @property
    def status_text(self) -> str:
        """The status with spaces: "on hold"."""
        return self.status.value.replace("_", " ")

    def check_stage(self, stage: str) -> StageDefinition:
        """The stage by its key. Raises BadInput when this workflow has none."""
        try:
            return self.definition.stage(stage)
        except KeyError:
            keys = ", ".join(stage.key for stage in self.definition.stages)
            raise BadInput(
                f"This workflow has no stage {stage[:64]!r}. It has {keys}.",
                fields={"stage": f"one of {keys}"},
            ) from None

    def check_version(self, version: int | None) -> None:
        """Raises VersionConflict where the request has changed since ``version`` was read."""
        if version is not None and version != self.version:
            raise VersionConflict(
                f"{self.reference} has changed since you looked at it. "
                "Please look again: nothing was done."
            )

    def require_not_erased(self) -> None:
        """Raises Conflict where the customer is erased: nothing of them is recorded again."""
        if self.erased_at is not None:
            raise Conflict(
                f"The customer's data were erased, so nothing can be added to {self.reference}."
            )

    def require_open(self) -> None:
        """Raises Conflict where the request is closed."""
        if self.is_closed:
            raise Conflict(f"{self.reference} is {self.status_text}. Reopen it first.")
