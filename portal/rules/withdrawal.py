"""Whether customers may withdraw their request themselves. Pure."""

from collections.abc import Collection

from portal.models.requests.service_request import ServiceRequest
from portal.workflows import WorkflowDefinition


def may_withdraw(request: ServiceRequest) -> bool:
    """True while the request is open and no stage was reached that ends the right to withdraw."""
    reached = {run.stage_key for run in request.runs if run.reached_at is not None}
    return not request.is_closed and allows_withdrawal(request.definition, reached)


def allows_withdrawal(definition: WorkflowDefinition, reached: Collection[str]) -> bool:
    """True where the workflow has such a stage and it is not among the keys of stages reached."""
    until = definition.customer_may_cancel_until
    return until is not None and until not in reached
