"""Updates from a third party that does a stage for us, such as a courier."""

from datetime import datetime, timedelta
from typing import Any

from portal.business_time import Duration
from portal.errors import BadInput
from portal.messaging.one_line import one_line
from portal.models import EventKind, ServiceRequest
from portal.operations.authorization import authorize
from portal.operations.unit_of_work import UnitOfWork
from portal.rules.authorization import Act

MAX_UPDATE_LENGTH = 160
MAX_NAME_LENGTH = 80
MAX_TRACKING_NUMBER_LENGTH = 64
SILENT_AFTER = Duration(2, "d")
"""How long a third party with a tracking number may be silent, where the stage does not say."""
CLOCK_SKEW = timedelta(minutes=10)


async def record_third_party_update(
    uow: UnitOfWork,
    request: ServiceRequest,
    *,
    words: str,
    stage: str | None = None,
    at: datetime | None = None,
    tracking_number: str | None = None,
    third_party: str | None = None,
) -> None:
    """Record an update for the customer to read, and restart the clock of their silence.

    ``at`` is the time of the update, by default now; an older one does not replace a newer one.
    Without a stage, the only stage of a third party is meant. Raises BadInput for a text that is
    missing or too long, for a future time, and without the name of the third party.
    """
    await authorize(uow, request, Act.RECORD_THIRD_PARTY, stage or _third_party_stage(request))
    text = _check_length("event", words, MAX_UPDATE_LENGTH)
    if not text:
        raise BadInput("Please say what they told us.", fields={"event": "some words"})
    number = _check_length("tracking_number", tracking_number or "", MAX_TRACKING_NUMBER_LENGTH)
    name = _check_length("third_party", third_party or "", MAX_NAME_LENGTH)
    at = at or uow.now
    if at > uow.now + CLOCK_SKEW:
        raise BadInput("They cannot have said that yet.", fields={"at": "a time that has been"})
    at = min(at, uow.now)
    request.require_open()
    run = request.get_open_run(stage or _third_party_stage(request))
    run.third_party = name or run.third_party
    if not run.third_party:
        raise BadInput("Please say who it is, such as DHL.", fields={"third_party": "a name"})
    run.tracking_number = number or run.tracking_number
    run.third_party_updated_at = max(at, run.third_party_updated_at or at)
    silent_after = request.definition.stage(run.stage_key).silent_after
    if silent_after is None and run.tracking_number:
        silent_after = SILENT_AFTER
    if silent_after is not None:
        department = (await uow.roster(request)).department_by_id(run.department_id)
        # Silence does not count while the stage is paused.
        run.silence_overdue_at = department.calendar.add(
            run.paused_at or run.third_party_updated_at, silent_after
        )
    data: dict[str, Any] = {"from": run.third_party, "words": text, "at": at.isoformat()}
    request.record(
        EventKind.THIRD_PARTY_UPDATED, uow.actor, uow.now, run=run, bumps_version=False,
        tracking_number=run.tracking_number, **data,
    )  # fmt: skip
    await uow.finish(request)


def _third_party_stage(request: ServiceRequest) -> str | None:
    third_party_runs = [run for run in request.open_runs if run.third_party]
    return third_party_runs[0].stage_key if len(third_party_runs) == 1 else None


def _check_length(field: str, text: str, max_length: int) -> str:
    text = one_line(text)
    if len(text) > max_length:
        raise BadInput(
            f"Please keep it to {max_length} letters.",
            fields={field: f"at most {max_length} letters"},
        )
    return text
