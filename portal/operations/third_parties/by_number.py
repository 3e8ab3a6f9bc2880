"""A provider's report about a tracking number, recorded on a request that has the number."""

from dataclasses import replace
from datetime import timedelta

from portal.operations.third_parties.events import record_third_party_event
from portal.operations.third_parties.reports import ThirdPartyReport, fitted, known_carriers
from portal.operations.unit_of_work import UnitOfWork

MAX_REQUESTS = 50
"""The most requests that one number is recorded on."""
ENDED_WITHIN = timedelta(days=60)
"""How long after its stage ended a number still means it: carriers use numbers again."""


async def record_report_of_provider(
    uow: UnitOfWork, reference: str, report: ThirdPartyReport
) -> bool:
    """Record the report, as far as it can be used; false where it is recorded already.

    The name of a carrier that Kept does not know does not replace that of the stage.
    Raises PortalError where it cannot be recorded.
    """
    request = await uow.lock(reference)
    report = fitted(report, request, uow.now)
    if known_carriers(uow).find(report.carrier) is None:
        report = replace(report, carrier="")
    return await record_third_party_event(uow, request, report)
