"""What third parties report, at the desk: their last update, and the form for the next."""

from collections.abc import Sequence
from datetime import date, datetime

from starlette.datastructures import FormData

from portal.desk.auth.access import field
from portal.desk.auth.current_staff import CurrentStaff
from portal.desk.labels import since
from portal.desk.request.view_models import ThirdPartyStage
from portal.desk.widgets import Choice
from portal.errors import BadInput
from portal.messaging.wording.third_parties import CODE_WORDS, report_text, reported_at
from portal.messaging.wording.time_format import TimeFormatter
from portal.models import Event, EventKind, ServiceRequest, ThirdPartyCode
from portal.operations import ThirdPartyReport
from portal.rules.authorization import Act
from portal.settings import Settings

CODE_CHOICES = [Choice(code.value, str(words)) for code, words in CODE_WORDS.items()]


def third_party_stages(
    request: ServiceRequest,
    events: Sequence[Event],
    times: TimeFormatter,
    reader: CurrentStaff,
    settings: Settings,
) -> list[ThirdPartyStage]:
    """The open stages of third parties, with their last update."""
    return [
        ThirdPartyStage(
            stage=run.stage_key,
            name=stage.name,
            who=run.third_party,
            number=run.tracking_number,
            said=report_text(update.data) if update else "",
            at=since(times, reported_at(update.data)) if update else None,
            is_silent=run.silence_overdue_at is not None
            and not run.is_paused
            and run.silence_overdue_at <= times.now,
            may_record=reader.may(Act.RECORD_THIRD_PARTY, request, run.stage_key),
            url=settings.all_carriers.tracking_url(
                run.third_party, run.tracking_number, stage.tracking_url
            ),
            has_problem=run.third_party_code is not None and run.third_party_code.is_problem,
            codes=CODE_CHOICES,
        )
        for run in request.open_runs
        if run.third_party
        for stage in [request.definition.stage(run.stage_key)]
        for update in [_last_update(events, run.id)]
    ]


def read_report_form(form: FormData, at: datetime | None) -> ThirdPartyReport:
    """The report that a colleague typed; ``at`` is its time, read already. Raises BadInput."""
    code, day = field(form, "code"), field(form, "estimated_date")
    if code and code not in set(ThirdPartyCode):
        raise BadInput("Please choose how far it is from the list.", fields={"code": "one of it"})
    try:
        estimated = date.fromisoformat(day) if day else None
    except ValueError:
        raise BadInput(
            "Please give the new date as a date.", fields={"estimated_date": "such as 2026-11-26"}
        ) from None
    return ThirdPartyReport(
        number=field(form, "tracking_number"),
        code=ThirdPartyCode(code) if code else None,
        description=field(form, "event"),
        place=field(form, "place"),
        at=at,
        estimated=estimated,
    )


def _last_update(events: Sequence[Event], run_id: int | None) -> Event | None:
    updates = [
        event
        for event in events
        if event.kind == EventKind.THIRD_PARTY_UPDATED and event.run_id == run_id
    ]
    return max(updates, key=lambda event: str(event.data["at"]), default=None)
