"""Calls that customers ask for: promised within the window that they named, or to be agreed."""

from portal.messaging.intents.named_times import NamedTime
from portal.models import Promise, PromiseKind, ServiceRequest
from portal.operations.promises import promise_reply
from portal.operations.unit_of_work import UnitOfWork
from portal.rules.calls import CallRefusal, fit_call


async def promise_call(uow: UnitOfWork, request: ServiceRequest, named: NamedTime) -> Promise:
    """Promise a call in the window that the customer named.

    Outside the department's hours the promise is known to staff alone: the reply asks for another
    time, and the owner calls where none comes.
    """
    department = (await uow.roster(request)).department_by_id(request.department_id)
    fit = fit_call(department.calendar, named.window, named.kind, uow.now, has_day=named.has_day)
    if isinstance(fit, CallRefusal):
        return await promise_reply(uow, request, PromiseKind.CALL, is_told=False)
    return await promise_reply(uow, request, PromiseKind.CALL, fit)
