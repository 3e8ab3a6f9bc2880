"""Updates from a third party that does a stage for us, such as a courier."""

from datetime import datetime, timedelta
from typing import Any

from portal.business_time import Duration
from portal.errors import BadInput
from portal.models import EventKind, ServiceRequest
from portal.operations.authorization import authorize
from portal.operations.open_request import one_line
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
    """Note what they said, for the customer to read, and let their silence begin anew.

    ``at`` is when they said it, now where that is left out; what came late does not take the place
    of newer words. Without a stage, the one that a third party does is meant. Raises BadInput for
    words that miss or are too long, for a time to come, and where nobody says who they are.
    """
    await authorize(uow, request, Act.RECORD_THIRD_PARTY, stage or _their_stage(request))
    said = _read("event", words, MAX_UPDATE_LENGTH)
    if not said:
        raise BadInput("Please say what they told us.", fields={"event": "some words"})
    number = _read("tracking_number", tracking_number or "", MAX_TRACKING_NUMBER_LENGTH)
    name = _read("third_party", third_party or "", MAX_NAME_LENGTH)
    at = at or uow.now
    if at > uow.now + CLOCK_SKEW:
        raise BadInput("They cannot have said that yet.", fields={"at": "a time that has been"})
    at = min(at, uow.now)
    request.require_open()
    run = request.get_open_run(stage or _their_stage(request))
    run.third_party = name or run.third_party
    if not run.third_party:
        raise BadInput("Please say who it is, such as DHL.", fields={"third_party": "a name"})
    run.tracking_number = number or run.tracking_number
    run.third_party_updated_at = max(at, run.third_party_updated_at or at)
    after = request.definition.stage(run.stage_key).silent_after
    if after is None and run.tracking_number:
        after = SILENT_AFTER
    if after is not None:
        department = (await uow.roster(request)).department_by_id(run.department_id)
        # Silence does not count while the stage is paused.
        run.silence_overdue_at = department.calendar.add(
            run.paused_at or run.third_party_updated_at, after
        )
    told: dict[str, Any] = {"from": run.third_party, "words": said, "at": at.isoformat()}
    request.record(
        EventKind.THIRD_PARTY_UPDATED, uow.actor, uow.now, run=run, bumps_version=False,
        tracking_number=run.tracking_number, **told,
    )  # fmt: skip
    await uow.finish(request)


def _their_stage(request: ServiceRequest) -> str | None:
    theirs = [run for run in request.open_runs if run.third_party]
    return theirs[0].stage_key if len(theirs) == 1 else None


def _read(field: str, words: str, longest: int) -> str:
    words = one_line(words)
    if len(words) > longest:
        raise BadInput(
            f"Please keep it to {longest} letters.", fields={field: f"at most {longest} letters"}
        )
    return words
