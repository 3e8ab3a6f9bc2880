"""Our side of a conversation: messages to the customer, logged contacts, preferences."""

from collections.abc import Sequence
from datetime import timedelta

from sqlmodel import col, select

from portal.errors import BadInput, Conflict
from portal.i18n.lazy_string import LazyString
from portal.messaging.link_masking import put_link
from portal.messaging.link_spacing import space_after_links
from portal.messaging.send_rules import NOT_DELIVERED
from portal.messaging.sms.gsm_text import to_gsm7
from portal.messaging.wording.channel_neutral import without_opt_out_hint
from portal.messaging.wording.customer_time import with_customer_time
from portal.messaging.wording.signatures import MAX_TEXT_LENGTH, without_signature
from portal.models import (
    Channel,
    ConsentSource,
    Contact,
    ContactChannel,
    ContactReason,
    EventKind,
    Message,
    MessageKind,
    PromiseKind,
    ServiceRequest,
)
from portal.models.columns import saved_id
from portal.operations.authorization import acting_colleague, authorize
from portal.operations.conversation.consent import ConsentChange, record_consent_change
from portal.operations.dropped_balls.resolution import resolve_urgent
from portal.operations.outbox import Draft
from portal.operations.promises import (
    fulfil_promises,
    open_answer_promise,
    open_call_promise,
)
from portal.operations.transitions import check_text
from portal.operations.unit_of_work import UnitOfWork
from portal.operations.written_promises import create_promises_from_text
from portal.rules.authorization import Act, fulfils_call_promise

REPEATED_WITHIN = timedelta(minutes=1)
"""The same message again within this time is taken for one call that was made twice."""


async def write_to_customer(
    uow: UnitOfWork,
    request: ServiceRequest,
    body: str,
    *,
    channels: Sequence[Channel] = (),
    urgent: bool = False,
) -> Message:
    """Send our message to the customer. It fulfils the promise of an answer that is due, if any.

    What it commits to is promised: "I'll call you tomorrow at 3". In quiet hours it waits for the
    morning, unless it is ``urgent`` or the customer waits for it. "[link]" in it becomes the
    customer's link. An hour of our clock is followed by the customer's, where theirs differs.
    """
    await authorize(uow, request, Act.WRITE)
    written = await _written_body(uow, request, body)
    body = await _with_customer_time(uow, request, written)
    urgent = urgent or await uow.is_customer_waiting(request)
    event = request.record(EventKind.MESSAGE_OUT, uow.actor, uow.now, bumps_version=False)
    fulfil_promises(uow, request, PromiseKind.ANSWER)
    request.unanswered_since = None
    await resolve_urgent(uow, request)
    await create_promises_from_text(uow, request, written)
    await uow.finish(request)
    message = await uow.outbox.queue(
        request,
        Draft(
            MessageKind.STAFF,
            f"event:{event.id}",
            body,
            author=uow.actor.name,
            author_id=uow.actor.staff_id,
            event_id=event.id,
            urgent=urgent,
        ),
        channels=channels,
    )
    await uow.session.flush()
    return message


async def refuse_repeated_message(
    uow: UnitOfWork, request: ServiceRequest, body: str, *, channels: Sequence[Channel] = ()
) -> None:
    """Raises Conflict where the customer was sent the same message a moment ago.

    By another channel, where ``channels`` name it, it is no repeat. The caller has locked the
    request, so of two calls at once the second finds the first.
    """
    await authorize(uow, request, Act.WRITE)
    brand, url = uow.settings.brand, uow.settings.public_url
    written = await _written_body(uow, request, body)
    body = space_after_links(await _with_customer_time(uow, request, written), url)
    query = select(Message).where(
        col(Message.request_id) == request.id,
        col(Message.kind) == MessageKind.STAFF,
        col(Message.created_at) > uow.now - REPEATED_WITHIN,
        col(Message.status).not_in(NOT_DELIVERED),
    )
    for message in (await uow.session.exec(query)).all():
        if channels and message.channel not in channels:
            continue
        written = without_opt_out_hint(message.body).removeprefix(f"{brand}: ")
        written = without_signature(written, brand, message.author)
        if written in (body, to_gsm7(body).removeprefix(f"{brand}: ")):
            raise Conflict(
                f"The customer was sent this less than a minute ago, as message {message.id}. Nothing "
                "was sent again. If it is meant twice, please send it in a minute."
            )


async def log_contact(
    uow: UnitOfWork,
    request: ServiceRequest,
    *,
    channel: ContactChannel,
    reason: ContactReason,
    note: str = "",
) -> Contact:
    """Record a call or a visit with its reason, so that we learn what made them ask.

    Any member of staff may log it. A call by phone, whoever called, fulfils an open promise of a
    call, and is the call that a question without an answer was to have, where it is logged by
    somebody who has a part in the request: others have given the customer no answer.
    """
    await authorize(uow, request, Act.LOG_CONTACT)
    contact = Contact(
        request_id=saved_id(request),
        channel=channel,
        reason=reason,
        note=check_text("note", note, required=False),
        at=uow.now,
        logged_by=uow.actor.name,
    )
    uow.session.add(contact)
    fulfils_promise = fulfils_call_promise(await acting_colleague(uow, request), request)
    if channel == ContactChannel.CALL and fulfils_promise:
        await resolve_urgent(uow, request)
        if open_call_promise(request) is not None:
            fulfil_promises(uow, request, PromiseKind.CALL)
            if open_answer_promise(request) is None:
                request.unanswered_since = None
        for question in request.follow_ups:
            question.record_call(uow.now)
    request.record(
        EventKind.CONTACT_LOGGED,
        uow.actor,
        uow.now,
        visible=False,
        bumps_version=False,
        channel=channel.value,
        reason=reason.value,
        note=contact.note,
    )
    await uow.finish(request)
    return contact


async def set_preferences(
    uow: UnitOfWork,
    request: ServiceRequest,
    *,
    preferred_channel: Channel | None = None,
    locale: str | None = None,
    consent_change: ConsentChange | None = None,
    source: ConsentSource = ConsentSource.STATUS_PAGE,
) -> None:
    """Set the customer's preferences: the channel, the language, and consent.

    Raises BadInput and Conflict as ``record_consent_change`` does.
    """
    customer = request.customer
    if preferred_channel is not None:
        customer.preferred_channel = preferred_channel
    if locale is not None:
        customer.locale = locale
    if consent_change is not None:
        await record_consent_change(uow, request, consent_change, source, request.reference)
    request.record(
        EventKind.PREFERENCES_CHANGED,
        uow.actor,
        uow.now,
        bumps_version=False,
        preferred_channel=preferred_channel,
        locale=locale,
        stop=consent_change.about if consent_change and consent_change.stop else None,
        start=consent_change.about if consent_change and not consent_change.stop else None,
        channels=[channel.value for channel in consent_change.channels] if consent_change else [],
    )
    await uow.finish(request)


async def put_request_link(uow: UnitOfWork, request: ServiceRequest, body: str) -> str:
    """The body with the request's live link for each "[link]", which stands for it at the desk."""
    return put_link(body, (await uow.renderer(request)).link)


async def _written_body(uow: UnitOfWork, request: ServiceRequest, body: str) -> str:
    return check_message_body(await put_request_link(uow, request, body))


async def _with_customer_time(uow: UnitOfWork, request: ServiceRequest, body: str) -> str:
    """The body with each hour also on the customer's clock, where that shows another one.

    It stays as it is written where it would be longer than a text may be.
    """
    department = (await uow.roster(request)).department_by_id(request.department_id)
    times = (await uow.renderer(request)).times
    timed = with_customer_time(body, department.calendar, times, uow.now)
    return timed if len(timed) <= MAX_TEXT_LENGTH else body


def check_message_body(body: str) -> str:
    """A message as it may be sent. Raises BadInput where there is none, or too much of it."""
    body = body.replace("\x00", "").strip()
    if not body:
        raise BadInput(LazyString("Please write something first."), fields={"body": "some words"})
    if len(body) > MAX_TEXT_LENGTH:
        raise BadInput(
            LazyString(
                "That is too long to send: please keep it under {most} letters.",
                most=MAX_TEXT_LENGTH,
            ),
            fields={"body": f"at most {MAX_TEXT_LENGTH} letters"},
        )
    return body
