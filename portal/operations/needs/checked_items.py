"""Items that staff check: accepted, or to be corrected with a reason."""

from portal.models import EventKind, Need, ServiceRequest
from portal.operations.authorization import authorize
from portal.operations.promises import record_promise_kept
from portal.operations.transitions import check_text
from portal.operations.unit_of_work import UnitOfWork
from portal.rules import needs as need_rules
from portal.rules.authorization import Act


async def accept_item(uow: UnitOfWork, request: ServiceRequest, key: str) -> Need:
    """The item is right; it counts as come, where it was still to be sent.

    With the last item of an open stage the customer is told what is accepted and what is next.
    Raises NotFound for an unknown item, Conflict for one that is settled already.
    """
    await authorize(uow, request, Act.CHECK_NEED)
    request.require_open()
    need, facts = need_rules.get_need(request, key), await uow.facts(request)
    need.accept(uow.now)
    _keep_check_promise(uow, request, need)
    need_rules.update_waiting(facts, need_rules.waiting_run(request, need))
    told = need_rules.are_all_accepted(request, need)
    need_rules.record_item(facts, EventKind.NEED_ACCEPTED, need, told=told)
    await uow.finish(request)
    return need


async def ask_correction(
    uow: UnitOfWork, request: ServiceRequest, key: str, *, reason: str
) -> Need:
    """Ask the customer to correct the item; the reason is the headline of what they read.

    Raises NotFound for an unknown item, Conflict for one that has not come, BadInput without a
    reason.
    """
    await authorize(uow, request, Act.CHECK_NEED)
    request.require_open()
    need, facts = need_rules.get_need(request, key), await uow.facts(request)
    reason = check_text("reason", reason)
    need.ask_correction(uow.now, reason, uow.actor.staff_id)
    _keep_check_promise(uow, request, need)
    need_rules.update_waiting(facts, need_rules.waiting_run(request, need))
    need_rules.record_item(facts, EventKind.CORRECTION_ASKED, need, reason=reason)
    await uow.finish(request)
    return need


def _keep_check_promise(uow: UnitOfWork, request: ServiceRequest, need: Need) -> None:
    promise = need_rules.open_check_promise(request, need)
    if promise is not None:
        record_promise_kept(uow, request, promise)
