"""Messages and answers that customers send on their status page."""

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response

from portal.attachments.refusals import FileRefusal
from portal.attachments.stored_file import FileRefused, FileTooLarge
from portal.errors import BadInput, Busy, Conflict, PortalError, RateLimited
from portal.i18n.lazy_string import LazyString
from portal.messaging.card_masking import mask_card_numbers
from portal.messaging.intents.appointment_times import MAX_AHEAD
from portal.models import CUSTOMER_ACTOR, Answer, AnswerType, Channel, FollowUp, ServiceRequest
from portal.operations import (
    answer_follow_up,
    get_free_window,
    reading_is_ready,
    receive_web_message,
    visit_zone,
)
from portal.operations.follow_ups import is_to_be_read_back, read_back
from portal.queries.requests import lock_by_token
from portal.tracking.attachments import (
    MAX_FILES,
    max_file_bytes,
    max_form_bytes,
    store_uploads,
)
from portal.tracking.forms import read_form, read_message_form
from portal.tracking.link_limits import count_post, count_upload
from portal.tracking.status_page.endpoints import open_link, open_page
from portal.tracking.verification.device_cookie import see_other, visibility_of
from portal.tracking.verification.recent_uploads_cookie import remember_sent
from portal.web import templating
from portal.web.body_limit import content_length
from portal.web.form_origin import check_form_origin

MESSAGE_RATE_LIMIT = "20/minute"
FILE_RATE_LIMIT = "60/hour"
MAX_MESSAGE_LENGTH = 1_600
ANSWER_WORDS = {Answer.YES: "YES", Answer.NO: "NO", Answer.WRONG: "Something is wrong"}
"""What an answer that comes too late says as a message."""
MAX_SMALL_FORM_BYTES = 64_000
"""A form without photos: it is read before it is counted, so that a refusal shows its text again."""


async def post_message(request: Request) -> Response:
    """`POST /r/{token}/messages`: a text, photos and documents for the current department."""
    token = request.path_params["token"]
    state = request.app.state
    version = await open_link(request)
    check_form_origin(request)
    body = ""
    length = content_length(request.scope)
    is_small = length is not None and length <= MAX_SMALL_FORM_BYTES
    try:
        if not is_small:
            await _limit_rate(request, version.request_id, has_files=True)
        body, uploads, need = await read_message_form(request, state.file_store.max_bytes)
        if is_small:
            await _limit_rate(request, version.request_id, has_files=bool(uploads))
        for _ in uploads:
            await state.rate_limiter.allow(FILE_RATE_LIMIT, "file", str(version.request_id))
        files = await store_uploads(state.file_store, uploads)
        await reading_is_ready()
        async with state.operations.begin(CUSTOMER_ACTOR) as uow:
            service_request = await lock_by_token(uow.session, token)
            message = await receive_web_message(uow, service_request, body, files, need=need)
    except (BadInput, Busy, RateLimited, FileRefused) as refusal:
        return await _show_again(request, refusal, draft=body)
    response = see_other(f"/r/{token}#m-{message.id}")
    remember_sent(request, response, message.id)
    return response


async def _limit_rate(request: Request, request_id: int, *, has_files: bool) -> None:
    """Count by the link, which nobody guesses: many customers share the address of one network."""
    allow = request.app.state.rate_limiter.allow
    await allow(MESSAGE_RATE_LIMIT, "message", str(request_id))
    await count_post(request, request_id)
    if has_files:
        await count_upload(request, request_id, max_form_bytes(request.app.state.settings))


async def reject_oversized(request: Request) -> Response:
    """The page with an error for a body over the limit, which is not read.

    Raises NotAllowed for a form of another site, and RateLimited: the page is made for each call.
    """
    check_form_origin(request)
    version = await open_link(request)
    await _limit_rate(request, version.request_id, has_files=False)
    settings = request.app.state.settings
    max_bytes: int = settings.max_upload_bytes
    return await _show_again(
        request,
        FileTooLarge(
            FileRefusal.too_large(max_bytes),
            LazyString.pluralized(
                "That is too much at once: please send at most {count} file of {most} MB, in all "
                "{total} MB.",
                "That is too much at once: please send at most {count} files of {most} MB each, in "
                "all {total} MB.",
                MAX_FILES,
                most=max_bytes // 1_000_000,
                total=max(max_file_bytes(settings) // 1_000_000, 1),
            ),
        ),
    )


async def post_answer(request: Request) -> Response:
    """`POST /r/{token}/answers`: yes, no, or yes but something is wrong, to the open question.

    An answer that comes too late, or another one than before, is a message for a person to read.
    """
    form = await read_form(request)
    token = request.path_params["token"]
    state = request.app.state
    await open_link(request)
    try:
        given = _read_answer(form.get("answer", ""))
        text = _read_text(form.get("words", ""))
        await reading_is_ready()
        async with state.operations.begin(CUSTOMER_ACTOR) as uow:
            service_request = await lock_by_token(uow.session, token)
            question = _find_question(service_request, form.get("follow_up", ""))
            _check_taken(service_request, question, given)
            if await is_to_be_read_back(uow, service_request, question, given):
                await read_back(uow, service_request, question)
            elif question.is_asked:
                zone = visit_zone(await uow.facts(service_request), question)
                at = _read_time(form.get("at", ""), question, given, zone, uow.now)
                window = (
                    await get_free_window(uow, service_request, question, at)
                    if at is not None and question.offered is not None
                    else None
                )
                await answer_follow_up(
                    uow, service_request, question, given, text=text, at=window or at,
                    via=Channel.WEB,
                )  # fmt: skip
            elif question.answer != given:  # The same answer twice is taken once.
                said = ANSWER_WORDS[given]
                await receive_web_message(uow, service_request, f"{said}. {text}" if text else said)
    except (BadInput, Conflict) as refusal:
        return await _show_again(request, refusal)
    return see_other(f"/r/{token}")


async def _show_again(request: Request, refusal: PortalError, draft: str = "") -> Response:
    """The page with the reason of the rejection and the text that was not accepted."""
    version = await open_link(request)
    page = await open_page(request, await visibility_of(request, version.request_id))
    page = replace(page, draft=draft.replace("\x00", ""), refusal=refusal.detail)
    response = templating.page(
        request, "tracking/status_page/status.html", page.context(), refusal.status
    )
    response.headers.update(refusal.headers)
    return response


def _read_answer(text: str) -> Answer:
    try:
        return Answer(text.strip().lower())
    except ValueError:
        raise BadInput(
            LazyString("Please answer with yes or no."), fields={"answer": "yes or no"}
        ) from None


def _check_taken(request: ServiceRequest, question: FollowUp, given: Answer) -> None:
    """Raises BadInput for an answer that the question does not offer."""
    if given == Answer.WRONG and not request.takes_wrong(question):
        raise BadInput(LazyString("Please answer with yes or no."), fields={"answer": "yes or no"})


def _read_text(text: str) -> str:
    text = mask_card_numbers(text.replace("\x00", "").strip())
    if len(text) > MAX_MESSAGE_LENGTH:
        raise BadInput(
            LazyString(
                "That is too long to send: please keep it under {most} letters.",
                most=MAX_MESSAGE_LENGTH,
            ),
            fields={"words": f"at most {MAX_MESSAGE_LENGTH} letters"},
        )
    return text


def _read_time(
    text: str, question: FollowUp, given: Answer, zone: str, now: datetime
) -> datetime | None:
    """The time that answers a question for one, read in that time zone.

    Raises BadInput where it is missing, past, or more than a year away.
    """
    if question.expects != AnswerType.TIME or given == Answer.NO:
        return None
    try:
        local = datetime.fromisoformat(text.strip())
    except ValueError:
        local = None
    if local is None or local.tzinfo is not None:
        raise BadInput(
            LazyString("Please choose a day and a time."), fields={"at": "a day and a time"}
        )
    at = local.replace(tzinfo=ZoneInfo(zone))
    if not now < at <= now + MAX_AHEAD:
        raise BadInput(
            LazyString("Please choose a time to come, within a year."),
            fields={"at": "a time to come"},
        )
    return at


def _find_question(request: ServiceRequest, follow_up: str) -> FollowUp:
    """The asked question with this id. Raises BadInput where this request has none."""
    for question in request.follow_ups:
        if str(question.id) == follow_up.strip() and question.asked_at is not None:
            return question
    raise BadInput(
        LazyString("That question is not on this page. Please look at it again."),
        fields={"follow_up": "the question that is asked"},
    )
