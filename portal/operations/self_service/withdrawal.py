"""A customer withdraws their own request, or asks a person for it."""

from portal.errors import Conflict
from portal.i18n.languages import language_of
from portal.i18n.lazy_string import LazyString
from portal.messaging.wording.staff_notices import render_withdrawal
from portal.models import EventKind, MessageKind, RequestStatus, ServiceRequest, StaffMember
from portal.models.requests.request_status import WITHDRAWN
from portal.operations.conversation.inbound_text import receive_web_message
from portal.operations.outbox import Draft
from portal.operations.transitions import check_text
from portal.operations.unit_of_work import UnitOfWork
from portal.rules.stages.stage_flow import StageFlow
from portal.rules.withdrawal import may_withdraw

ASKED_OF_PERSON = LazyString("Please cancel this request.")


async def withdraw_request(uow: UnitOfWork, request: ServiceRequest, reason: str = "") -> None:
    """Close the request as its customer wishes, text them that it is so, and mail whoever has it.

    Open promises are withdrawn, not missed. Raises BadInput for a reason that is too long; Conflict
    where the workflow does not allow it, or no longer.
    """
    reason = check_text("reason", reason, required=False)
    request.require_open()
    if not may_withdraw(request):
        raise Conflict(
            LazyString("This request is too far along to be withdrawn here. Please ask us instead.")
        )
    people = {request.owner_id, *(run.assignee_id for run in request.open_runs)}
    for promise in request.promises:
        if promise.is_open:
            promise.withdraw(uow.now, WITHDRAWN)
            request.record(
                EventKind.PROMISE_WITHDRAWN, uow.actor, uow.now, visible=promise.is_told,
                promise_id=promise.id, text=promise.text, reason=WITHDRAWN,
            )  # fmt: skip
    StageFlow(await uow.facts(request)).end(
        RequestStatus.CANCELLED, f"{WITHDRAWN} {reason}".strip()
    )
    events = await uow.finish(request)
    ended = next(event for event in events if event.kind == EventKind.CANCELLED)
    renderer = await uow.renderer(request)
    cause = f"event:{ended.id}"
    draft = Draft(MessageKind.CANCELLED, cause, renderer.say("withdrawn"), event_id=ended.id, urgent=True)  # fmt: skip
    await uow.outbox.queue(request, draft)
    subject, body = render_withdrawal(request.reference)
    for person_id in sorted(people):
        person = await uow.session.get_one(StaffMember, person_id)
        await uow.outbox.queue_staff_notice(f"{cause}:{person_id}", person.email, subject, body)


async def ask_to_withdraw(uow: UnitOfWork, request: ServiceRequest, reason: str = "") -> None:
    """Record the wish as a message of the customer, which a person answers.

    Raises BadInput for a reason that is too long.
    """
    asked = language_of(request.customer.locale).say(ASKED_OF_PERSON)
    reason = check_text("reason", reason, required=False)
    await receive_web_message(uow, request, f"{asked} {reason}".strip(), is_for_person=True)
