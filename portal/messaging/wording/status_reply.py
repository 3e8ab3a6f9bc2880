"""The reply to "where is it?": the state of a request, in the customer's language."""

from portal.messaging.sms import segments
from portal.messaging.wording.renderer import MessageRenderer
from portal.models import FollowUpState, Promise, RequestStatus, StageRun
from portal.rules.needs import open_check_promise


def render_status(renderer: MessageRenderer) -> str:
    """The stage, who has it, what is next and by when; in one segment where the link allows it.

    Before a department accepts a stage, and while it is on hold, nobody is named as working on
    it. A request that waits for the customer's answer says for which; a closed one says how to
    reopen it.
    """
    request = renderer.request
    run, question = renderer.current_run(), request.open_question
    if request.is_closed:
        is_cancelled = request.status == RequestStatus.CANCELLED
        text = renderer.say(
            "status_cancelled" if is_cancelled else "status_ended",
            ended=renderer.times.on(request.closed_at or renderer.now),
        )
    elif question is not None and (run is None or question.run is run):
        text = renderer.say("status_asked", question=renderer.question(question))
    elif run is not None:
        text = _render_stage(renderer, run)
    else:
        is_planned = any(
            follow_up.state == FollowUpState.PLANNED for follow_up in request.follow_ups
        )
        text = renderer.say("status_done" if is_planned else "status_confirming")
    return text


def _render_stage(renderer: MessageRenderer, run: StageRun) -> str:
    handoff = renderer.request.pending_handoff(run)
    fields, template = renderer.fields(run), "status"
    if run.held_at is not None:
        template = "hold"
    elif handoff is not None and handoff.accept_by is not None:
        template, fields["due"] = "status_passed", renderer.times.by(handoff.accept_by)
    elif check := _open_check(renderer, run):
        template, fields["due"] = "status_checking", renderer.times.by(check.due_at)
        fields["owner"] = renderer.roster.person(check.owner_id).name.split()[0]
    elif run.waits_on_customer:
        template = "status_waiting"
    elif renderer.has_next(run):
        text = renderer.say("status_next", None, **fields)
        for shorter in (f"{text} {renderer.link}", text):
            if segments.count_segments(shorter).segments == 1:
                return shorter
    return renderer.say(template, None, **fields)


def _open_check(renderer: MessageRenderer, run: StageRun) -> Promise | None:
    """The promise to check what the customer has sent for this stage, where nothing is to come."""
    if run.waits_on_customer:
        return None
    for need in renderer.request.needs:
        if need.stage_key == run.stage_key and (
            check := open_check_promise(renderer.request, need)
        ):
            return check
    return None
