"""What customers say on their page: a message, or the answer to a question."""

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response

from portal.attachments.refusals import FileRefusal
from portal.attachments.stored_file import FileRefused, FileTooLarge
from portal.errors import BadInput, Conflict, NotFound, PortalError
from portal.i18n.lazy_string import LazyString
from portal.messaging.intents.appointment_times import MAX_AHEAD
from portal.models import CUSTOMER_ACTOR, Answer, AnswerType, Channel, FollowUp, ServiceRequest
from portal.operations import answer, receive_web_message
from portal.queries.requests import lock_by_token
from portal.tracking.attachments import MAX_FILES, store_uploads
from portal.tracking.forms import read_form, read_message_form
from portal.tracking.status_page.endpoints import unknown_link
from portal.tracking.status_page.redaction import LINK_ONLY
from portal.tracking.verification.device_cookie import see_other, visibility_of
from portal.tracking.verification.recent_uploads_cookie import remember_sent
from portal.web import templating
from portal.web.rate_limit import RateLimited, client_address

MESSAGE_RATE_LIMIT = "20/minute"
FILE_RATE_LIMIT = "60/hour"
RATE_LIMIT_PER_CLIENT = "120/minute"
"""Many people may share an address, so one counts for less than a link."""
MAX_MESSAGE_LENGTH = 1_600


async def write(request: Request) -> Response:
    """`POST /r/{token}/messages`: words, photos and papers for the department that has it."""
    token = request.path_params["token"]
    state = request.app.state
    if await state.status_pages.find_version(token) is None:
        return unknown_link(request)
    body = ""
    try:
        body, uploads = await read_message_form(request, state.file_store.max_bytes)
        await state.rate_limiter.allow(MESSAGE_RATE_LIMIT, "message", token)
        await state.rate_limiter.allow(
            RATE_LIMIT_PER_CLIENT, "message from", client_address(request)
        )
        for _ in uploads:
            await state.rate_limiter.allow(FILE_RATE_LIMIT, "file", token)
        files = await store_uploads(state.file_store, uploads)
        async with state.operations.begin(CUSTOMER_ACTOR) as uow:
            service_request = await lock_by_token(uow.session, token)
            heard = await receive_web_message(uow, service_request, body, files)
    except NotFound:
        return unknown_link(request)
    except (BadInput, RateLimited, FileRefused) as refusal:
        return await _again(request, token, refusal, draft=body)
    taken = see_other(f"/r/{token}#m-{heard.id}")
    remember_sent(request, taken, heard.id)
    return taken


async def reject_oversized(request: Request) -> Response:
    """More than the most files of the largest size: said on the page, and never read."""
    max_bytes = request.app.state.file_store.max_bytes
    return await _again(
        request,
        request.path_params["token"],
        FileTooLarge(
            FileRefusal.too_large(max_bytes),
            LazyString.counted(
                "That is too much at once: please send at most {count} file of {most} MB.",
                "That is too much at once: please send at most {count} files of {most} MB each.",
                MAX_FILES,
                most=max_bytes // 1_000_000,
            ),
        ),
    )


async def reply(request: Request) -> Response:
    """`POST /r/{token}/answers`: yes or no to the question that the page asks."""
    form = await read_form(request)
    token = request.path_params["token"]
    state = request.app.state
    if await state.status_pages.find_version(token) is None:
        return unknown_link(request)
    try:
        given = _read_answer(form.get("answer", ""))
        words = _read_words(form.get("words", ""))
        async with state.operations.begin(CUSTOMER_ACTOR) as uow:
            service_request = await lock_by_token(uow.session, token)
            question = _find_question(service_request, form.get("follow_up", ""))
            # Pressed twice, it was said once.
            if question.answer != given:
                at = _read_time(form.get("at", ""), question, given, service_request, uow.now)
                await answer(
                    uow, service_request, question, given, words=words, at=at, via=Channel.WEB
                )
    except NotFound:
        return unknown_link(request)
    except (BadInput, Conflict) as refusal:
        return await _again(request, token, refusal)
    return see_other(f"/r/{token}")


async def _again(request: Request, token: str, refusal: PortalError, draft: str = "") -> Response:
    """The page once more, with the reason, and the words that could not be taken."""
    status_pages = request.app.state.status_pages
    version = await status_pages.find_version(token)
    visibility = await visibility_of(request, version.request_id) if version else LINK_ONLY
    page = await status_pages.find_page(token, visibility)
    if page is None:
        return unknown_link(request)
    page = replace(page, draft=draft.replace("\x00", ""), refusal=refusal.detail)
    return templating.page(request, "tracking/status.html", page.context(), refusal.status)


def _read_answer(text: str) -> Answer:
    try:
        return Answer(text.strip().lower())
    except ValueError:
        raise BadInput(
            LazyString("Please answer with yes or no."), fields={"answer": "yes or no"}
        ) from None


def _read_words(text: str) -> str:
    words = text.replace("\x00", "").strip()
    if len(words) > MAX_MESSAGE_LENGTH:
        raise BadInput(
            LazyString(
                "That is too long to send: please keep it under {most} letters.",
                most=MAX_MESSAGE_LENGTH,
            ),
            fields={"words": f"at most {MAX_MESSAGE_LENGTH} letters"},
        )
    return words


def _read_time(
    text: str, question: FollowUp, given: Answer, request: ServiceRequest, now: datetime
) -> datetime | None:
    """The time that a question for one is answered with, on the customer's clock.

    Raises BadInput where it is missing, over, or more than a year away.
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
    at = local.replace(tzinfo=ZoneInfo(request.customer.timezone))
    if not now < at <= now + MAX_AHEAD:
        raise BadInput(
            LazyString("Please choose a time to come, within a year."),
            fields={"at": "a time to come"},
        )
    return at


def _find_question(request: ServiceRequest, follow_up: str) -> FollowUp:
    """The question of that id that was put to this customer. Raises BadInput."""
    for question in request.follow_ups:
        if str(question.id) == follow_up.strip() and question.asked_at is not None:
            return question
    raise BadInput(
        LazyString("That question is not on this page. Please look at it again."),
        fields={"follow_up": "the question that is asked"},
    )
