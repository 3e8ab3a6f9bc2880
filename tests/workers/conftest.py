"""Requests that are closed, and the rounds of retention after them."""

from typing import Any

from portal.models import ServiceRequest
from portal.operations import Operations, cancel
from tests.support.factories import Organisation
from workers.retention import DailyRetention


def keeping(operations: Operations, **settings: Any) -> DailyRetention:
    """The worker's rounds of retention with these settings."""
    operations.settings = operations.settings.model_copy(update=settings)
    return DailyRetention(operations)


async def close(organisation: Organisation, request: ServiceRequest) -> ServiceRequest:
    """Mona cancels the request."""
    mona = organisation.people.mona.actor
    return await organisation.run(cancel, request, reason="No longer needed", by=mona)
