"""Stages put on hold and resumed, and the person named who has them."""

from dataclasses import dataclass
from datetime import datetime

from portal.errors import BadInput, Conflict
from portal.models.columns import saved_id
from portal.models.people.staff_member import StaffMember
from portal.models.requests.event import EventKind
from portal.rules.facts import Facts
from portal.rules.third_parties import postpone_silence


@dataclass(frozen=True)
class StagePauses:
    """Puts the open stages of one request on hold, and resumes them."""

    facts: Facts

    def hold(self, stage: str | None, reason: str, until: datetime | None) -> None:
        """Stop the clock of the named stage, or of all that are open, until it is resumed.

        The customer reads ``reason``. Raises Conflict where nothing is open that is not on hold
        already, BadInput for an end (``until``) in the past.
        """
        request, now = self.facts.request, self.facts.now
        request.require_open()
        runs = [request.get_open_run(stage)] if stage else request.open_runs
        runs = [run for run in runs if run.held_at is None]
        if not runs:
            raise Conflict(f"{request.reference} has nothing to hold: it is {request.status_text}.")
        if until is not None and until <= now:
            raise BadInput("The hold would end in the past.", fields={"until": "a time to come"})
        for run in runs:
            run.hold(now, reason, until)
        request.derive_state()
        request.record(
            EventKind.HELD, self.facts.actor, now, run=runs[0], reason=reason,
            until=until.isoformat() if until else None,
        )  # fmt: skip

    def resume(self, stage: str | None) -> None:
        """Start the clock again; due times move by the time on hold. Raises Conflict."""
        request, now = self.facts.request, self.facts.now
        request.require_open()
        runs = [request.get_open_run(stage)] if stage else request.open_runs
        runs = [run for run in runs if run.held_at is not None]
        if not runs:
            raise Conflict(f"{request.reference} is not on hold.")
        for run in runs:
            handoff = request.pending_handoff(run)
            department = self.facts.roster.department_by_id(run.department_id)
            if handoff is not None and run.held_at is not None:
                handoff.extend_by_hold(run.held_at, now, department)
            postpone_silence(run, department, now)
            run.resume(now, department)
        request.derive_state()
        request.record(EventKind.RESUMED, self.facts.actor, now, run=runs[0])


def assign(facts: Facts, stage: str | None, assignee: StaffMember, note: str) -> None:
    """Name the person who has a stage, or the coordinator where several are open and none is named.

    ``note`` is for the assignee alone.
    """
    request = facts.request
    request.require_open()
    run, assignee_id = None, saved_id(assignee)
    if not request.open_runs:
        request.owner_id = assignee_id
    elif stage is None and len(request.open_runs) > 1:
        request.coordinator_id = assignee_id
    else:
        run = request.get_open_run(stage)
        run.assignee_id = assignee_id
    request.derive_state()
    request.record(
        EventKind.ASSIGNED, facts.actor, facts.now, run=run, visible=False,
        to=assignee.name, to_id=assignee.id, note=note,
    )  # fmt: skip
