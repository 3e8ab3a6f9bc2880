"""Texts about a delay: the new date, the one that it replaces, and why."""

from datetime import datetime

from portal.messaging.wording.renderer import MessageRenderer
from portal.models import Event, Promise, StageRun


def default_delay_reason(renderer: MessageRenderer, run: StageRun) -> str:
    """Why a stage takes longer: its workflow's own text, else ours."""
    stage = renderer.request.definition.stage(run.stage_key)
    if renderer.request.pending_handoff(run):
        return renderer.say("reason_passed", run)
    if stage.delay is not None:
        return renderer.put(stage.delay.in_language(renderer.request.customer.locale), run)
    return renderer.say("reason", run)


def render_date_promise(renderer: MessageRenderer, run: StageRun, promise: Promise) -> str:
    """After several delays: who writes with a new date, and by when."""
    owner, due = renderer.person_name(promise.owner_id), renderer.times.by(promise.due_at)
    return renderer.say("delay_person", run, owner=owner, due=due)


def render_new_date(renderer: MessageRenderer, run: StageRun, event: Event) -> str:
    """The date that staff gave; only a later one has a reason."""
    if not run.delay_reason:
        return renderer.say("earlier_date", run)
    because = renderer.say("delay_because", run, reason=run.delay_reason)
    return _with_previous_date(renderer, run, event, run.delay_reason, because)


def render_delay(renderer: MessageRenderer, run: StageRun, event: Event) -> str:
    """The date that Kept estimates, and the reason of the stage's workflow."""
    reason = default_delay_reason(renderer, run)
    has_reason = renderer.request.definition.stage(run.stage_key).delay is not None
    plain = renderer.say("delay_because" if has_reason else "delay", run, reason=reason)
    return _with_previous_date(renderer, run, event, reason, plain)


def _with_previous_date(
    renderer: MessageRenderer, run: StageRun, event: Event, reason: str, without: str
) -> str:
    """The new day, the one that it replaces, and why.

    ``without`` is for another hour of the same day, and where the sentence is too long.
    """
    was_at = datetime.fromisoformat(event.data.get("was", run.due_at.isoformat()))
    was = renderer.times.stamp(was_at)
    if was == renderer.times.stamp(run.due_at):
        return without
    said = renderer.say("delay_said", run, was=was, reason=reason)
    return renderer.first_that_fits(f"{said} {renderer.link}", said, without)
