"""The main actions on a request: accept a stage, complete it, confirm it for the customer."""

from collections.abc import Iterator
from dataclasses import dataclass

from portal.desk.auth.current_staff import CurrentStaff
from portal.desk.labels import join_names
from portal.desk.request.offers.choices import field_input
from portal.desk.request.view_models import NextAction, QuestionFieldInput
from portal.messaging.wording.time_format import TimeFormatter
from portal.models import Handoff, RequestStatus, RunState, ServiceRequest, StageRun
from portal.rules.authorization import Act, has_part, is_allowed
from portal.rules.colleague import Colleague
from portal.rules.question_planning import questions_put_by
from portal.rules.roster import Roster
from portal.workflows import StageDefinition


@dataclass(frozen=True, slots=True)
class NextActionsPresenter:
    """Presents the main actions: what each does, and what the customer reads afterwards."""

    request: ServiceRequest
    roster: Roster
    times: TimeFormatter
    reader: CurrentStaff

    def all(self) -> list[NextAction]:
        """One for each open stage, the reader's own first; none for who may only read."""
        actions = sorted(self._actions(), key=lambda action: not action.mine)
        colleague = self._colleague
        return actions if colleague.manages_all or has_part(colleague, self.request) else []

    @property
    def _colleague(self) -> Colleague:
        return self.roster.colleague(self.reader.staff)

    def _may(self, act: Act, stage: str | None) -> bool:
        return is_allowed(self._colleague, self.request, stage, act)

    def _actions(self) -> Iterator[NextAction]:
        for run in self.request.open_runs:
            handoff = self.request.pending_handoff(run)
            yield self._accept(run, handoff) if handoff else self._advance(run)
        if self.request.status == RequestStatus.AWAITING_CONFIRMATION:
            yield self._confirm()

    def _accept(self, run: StageRun, handoff: Handoff) -> NextAction:
        stage = self.request.definition.stage(run.stage_key)
        department = self.roster.department_by_id(run.department_id).name
        sender = self.roster.department_by_id(handoff.from_department_id).name
        owner = self.roster.person(run.assignee_id).name
        mine = self._may(Act.ACCEPT, run.stage_key)
        time = self.times.by(handoff.accept_by) if handoff.accept_by else "soon"
        late = handoff.accept_by is not None and handoff.accept_by < self.times.now
        sentence = f"{'Accept' if mine else f'{department} accepts'} by {time}; until then"
        if late:
            sentence = f"Acceptance was due by {time}; until then"
        first_name = self.request.customer.first_name
        return NextAction(
            "accept",
            run.stage_key,
            eyebrow=f"Incoming handoff from {sender}, {self.times.since(handoff.sent_at)}",
            headline=stage.name,
            sentence=(
                f"{sentence} {owner} stays responsible. "
                f"{first_name} reads “{stage.title}” once {'you accept' if mine else 'it is accepted'}."
            ),
            button="Accept" if mine else "",
            mine=mine,
            take_back=self._may(Act.RECALL, run.stage_key),
        )

    def _advance(self, run: StageRun) -> NextAction:
        stage = self.request.definition.stage(run.stage_key)
        department = self.roster.department_by_id(run.department_id).name
        button, sentence, customer_reads = self._effect(run)
        if run.held_at:
            sentence = f"On hold: {run.hold_reason}"
        elif run.is_paused:
            party = stage.third_party_awaited if run.waits_on_third_party else None
            awaited = str(party) if party else self.request.customer.first_name
            sentence = f"Waiting for {awaited}. {sentence}".strip()
        late = run.is_overdue(self.times.now)
        due = f"overdue since {self.times.by(run.due_at)}" if late else self.times.by(run.due_at)
        return NextAction(
            "advance",
            run.stage_key,
            eyebrow=f"{department}, {due if late else f'due {due}'}",
            headline=stage.name,
            sentence=sentence,
            button=button if self._may(Act.ADVANCE, run.stage_key) else "",
            customer_reads=customer_reads,
            receivers=self._receivers(run),
            question_fields=self._question_fields(run),
            mine=self.reader.works_in(run.department_id) or run.assignee_id == self.reader.staff.id,
        )

    def _question_fields(self, run: StageRun) -> tuple[QuestionFieldInput, ...]:
        """The inputs for the fields of the questions that completing it puts."""
        return tuple(
            field_input(self.request, question, name)
            for question in questions_put_by(self.request, run)
            for name in question.fields
        )

    def _receivers(self, run: StageRun) -> str:
        """The other departments that receive it, for an internal note."""
        names = [
            department.name
            for stage in self._next_stages(run)
            if (department := self.roster.department(stage.department)).id != run.department_id
        ]
        return join_names(names) if names else ""

    def _next_stages(self, run: StageRun) -> list[StageDefinition]:
        done = {run.stage_key for run in self.request.runs if run.state == RunState.COMPLETED}
        return self.request.definition.opened_by(run.stage_key, done)

    def _effect(self, run: StageRun) -> tuple[str, str, str]:
        """The button, what it leads to, and what the customer reads at once (empty: nothing)."""
        opened = self._next_stages(run)
        names = [self.roster.department(stage.department).name for stage in opened]
        if not opened:
            return "Complete", self._closing_sentence(run), ""
        if len(opened) > 1:
            return (
                "Complete and hand off",
                f"Goes on with {self.times.listing(tuple(names))}.",
                "",
            )
        title = str(opened[0].title)
        receiver = self.roster.department(opened[0].department)
        if receiver.id == run.department_id:
            return f"Complete and continue with {opened[0].name}", "", title
        needs_acceptance = receiver.accept_by(self.times.now) is not None
        sentence = (
            f"{self._still_responsible(run)} responsible until {receiver.name} accepts."
            if needs_acceptance
            else ""
        )
        return (
            f"Complete and hand off to {receiver.name}",
            sentence,
            "" if needs_acceptance else title,
        )

    def _still_responsible(self, run: StageRun) -> str:
        if run.assignee_id == self.reader.staff.id:
            return "You stay"
        return f"{self.roster.person(run.assignee_id).name} stays"

    def _closing_sentence(self, run: StageRun) -> str:
        if any(other is not run for other in self.request.open_runs):
            return "The other stages continue."
        questions = self.request.definition.follow_ups_after(run.stage_key)
        if questions:
            return f"{self.request.customer.first_name} is then asked “{questions[0].question}”"
        return "This completes the request."

    def _confirm(self) -> NextAction:
        first_name = self.request.customer.first_name
        question = self.request.open_question
        return NextAction(
            "advance",
            "",
            eyebrow="Awaiting confirmation",
            headline=question.question if question else "The work is done",
            sentence=(
                f"Has {first_name} confirmed it to you? "
                "Write how and when, and the request is completed."
            ),
            button="Mark as confirmed",
            mine=False,
        )
