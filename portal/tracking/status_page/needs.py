"""What is needed from the customer, and what they are asked to correct, on their page."""

from collections.abc import Iterable
from dataclasses import replace

from portal.i18n.languages import language_of
from portal.messaging.wording.sent_items import title_of_sent
from portal.models import CLOSED_STATUSES, NeedState, RunState
from portal.queries.status_page.rows import NeedRow, StatusPageRow
from portal.tracking.status_page.needs_view import Correction, NeededItem, Needs
from portal.tracking.status_page.timeline import TimelinePresenter
from portal.tracking.status_page.timeline_view import StepGroup, TimelineStep


def present_needs(snapshot: StatusPageRow, timeline: TimelinePresenter) -> Needs:
    """The items of the request, and what is to be corrected."""
    return Needs(_needed_items(snapshot, timeline), _find_correction(snapshot))


def say_sent(groups: Iterable[StepGroup], snapshot: StatusPageRow) -> tuple[StepGroup, ...]:
    """The timeline, where a step under way whose items have all come says so."""

    def said(step: TimelineStep) -> TimelineStep:
        is_open = step.state in ("current", "paused")
        title = title_of_sent(snapshot.needs, step.key) if is_open else None
        return replace(step, title=language_of(snapshot.locale).say(title)) if title else step

    return tuple(tuple(said(step) for step in group) for group in groups)


def sent_headline(groups: Iterable[StepGroup], snapshot: StatusPageRow) -> str:
    """The title of the first step under way whose items have all come; empty without one."""
    return next(
        (
            step.title
            for group in groups
            for step in group
            if step.state in ("current", "paused") and title_of_sent(snapshot.needs, step.key)
        ),
        "",
    )


def _needed_items(snapshot: StatusPageRow, timeline: TimelinePresenter) -> tuple[NeededItem, ...]:
    """The items, while their stage is open or one of them is still to be sent or checked."""
    rows = [row for row in snapshot.needs if row.state != NeedState.WITHDRAWN]
    open_stages = {run.stage_key for run in snapshot.runs if run.state == RunState.OPEN}
    is_shown = any(
        row.stage_key in open_stages or row.state not in (NeedState.ACCEPTED, NeedState.CHECKING)
        for row in rows
    )
    if snapshot.status in CLOSED_STATUSES or not is_shown:
        return ()
    return tuple(_item(row, timeline) for row in rows)


def _find_correction(snapshot: StatusPageRow) -> Correction | None:
    """What the customer is asked to correct, the newest first; None where nothing is."""
    if snapshot.status in CLOSED_STATUSES:
        return None
    for row in reversed(snapshot.needs):
        if row.state == NeedState.CORRECTION:
            return Correction(row.reason, _first_name(row.asked_by))
    for run in reversed(snapshot.runs):
        if run.state == RunState.OPEN and run.correction and run.waits_on_customer:
            return Correction(run.correction, _first_name(run.correction_by))
    return None


def _item(row: NeedRow, timeline: TimelinePresenter) -> NeededItem:
    definition = timeline.definition.need(row.stage_key, row.key)
    return NeededItem(
        key=row.key,
        title=timeline.localize(definition.title),
        state=row.state,  # type: ignore[arg-type]
        help=timeline.localize(definition.help) if definition.help else "",
        file=row.file or "",
        sent_at=row.sent_at,
        owner=_first_name(row.owner),
        due_at=row.due_at,
    )


def _first_name(name: str | None) -> str:
    """The first part of a colleague's name: a link may be passed on, so the page shows no more."""
    return next(iter((name or "").split()), "")
