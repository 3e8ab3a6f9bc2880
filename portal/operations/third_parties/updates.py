"""An update of a third party in words alone, from the desk or the API."""

from datetime import datetime

from portal.errors import BadInput
from portal.models import ActorKind, ServiceRequest
from portal.operations.authorization import authorize
from portal.operations.third_parties.events import follow_event
from portal.operations.third_parties.reports import (
    MAX_NAME_LENGTH,
    MAX_TRACKING_NUMBER_LENGTH,
    MAX_UPDATE_LENGTH,
    check_length,
    check_time,
)
from portal.operations.unit_of_work import UnitOfWork
from portal.rules.authorization import Act
from portal.rules.third_parties import ThirdPartyEvent


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
    text = check_length("event", words, MAX_UPDATE_LENGTH)
    if not text:
        raise BadInput("Please say what they told us.", fields={"event": "some words"})
    number = check_length("tracking_number", tracking_number or "", MAX_TRACKING_NUMBER_LENGTH)
    name = check_length("third_party", third_party or "", MAX_NAME_LENGTH)
    at = check_time(at or uow.now, uow.now, "at")
    request.require_open()
    run = request.get_open_run(stage or _third_party_stage(request))
    if not (name or run.third_party):
        raise BadInput("Please say who it is, such as DHL.", fields={"third_party": "a name"})
    is_by_person = uow.actor.kind == ActorKind.STAFF
    event = ThirdPartyEvent(
        at, key="", carrier=name, number=number, description=text, is_by_person=is_by_person
    )
    await follow_event(uow, request, run, event)


def _third_party_stage(request: ServiceRequest) -> str | None:
    third_party_runs = [run for run in request.open_runs if run.third_party]
    return third_party_runs[0].stage_key if len(third_party_runs) == 1 else None
