"""What customers say on their page: a message, or the answer to a question."""

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response

from portal.attachments.stored_file import FileRefused, FileTooLarge
from portal.errors import BadInput, Conflict, NotFound, PortalError
from portal.i18n.lazy_string import Sentence
from portal.messaging.intents.appointment_times import A_YEAR
from portal.models import THE_CUSTOMER, Answer, Channel, Expects, FollowUp, ServiceRequest
from portal.operations import answer, receive_web_message
from portal.queries.requests import lock_by_token
from portal.tracking.attachments import MOST_FILES, keep_uploads
from portal.tracking.forms import check_origin, client_address, read_form, read_letter
from portal.tracking.status_page.endpoints import unknown_link
from portal.tracking.status_page.redaction import LINK_ALONE
from portal.tracking.verification.device_cookie import see_other, sight_of
from portal.tracking.verification.recent_uploads_cookie import note_sent
from portal.web import templating
from portal.web.rate_limit import TooOften

MESSAGES = "20/minute"
FILES = "60/hour"
FROM_ONE_ADDRESS = "120/minute"
"""Many people may share an address, so one counts for less than a link."""
LONGEST_ANSWER = 1_600


async def write(request: Request) -> Response:
    """`POST /r/{token}/messages`: words, photos and papers for the department that has it."""
    token = request.path_params["token"]
    state = request.app.state
    # Before anything is read: what it brings may be large.
    check_origin(request)
    if await state.status_pages.find_version(token) is None:
        return unknown_link(request)
    body = ""
    try:
        body, uploads = await read_letter(request, state.shelf.largest)
        await state.rates.allow(MESSAGES, "message", token)
        await state.rates.allow(FROM_ONE_ADDRESS, "message from", client_address(request))
        for _ in uploads:
            await state.rates.allow(FILES, "file", token)
        files = await keep_uploads(state.shelf, uploads)
        async with state.relay.turn(THE_CUSTOMER) as turn:
            service_request = await lock_by_token(turn.session, token)
            heard = await receive_web_message(turn, service_request, body, files)
    except NotFound:
        return unknown_link(request)
    except (BadInput, TooOften, FileRefused) as refusal:
        return await _again(request, token, refusal, draft=body)
    taken = see_other(f"/r/{token}#m-{heard.id}")
    note_sent(request, taken, heard.id)
    return taken


async def refuse_as_too_large(request: Request) -> Response:
    """More than the most files of the largest size: said on the page, and never read."""
    most = request.app.state.shelf.largest // 1_000_000
    return await _again(
        request,
        request.path_params["token"],
        FileTooLarge(
            Sentence.counted(
                "That is too much at once: please send at most {count} file of {most} MB.",
                "That is too much at once: please send at most {count} files of {most} MB each.",
                MOST_FILES,
                most=most,
            )
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
        async with state.relay.turn(THE_CUSTOMER) as turn:
            service_request = await lock_by_token(turn.session, token)
            question = _find_question(service_request, form.get("follow_up", ""))
            # Pressed twice, it was said once.
            if question.answer != given:
                at = _read_time(form.get("at", ""), question, given, service_request, turn.now)
                await answer(
                    turn, service_request, question, given, words=words, at=at, via=Channel.WEB
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
    sight = await sight_of(request, version.request_id) if version else LINK_ALONE
    page = await status_pages.find_page(token, sight)
    if page is None:
        return unknown_link(request)
    page = replace(page, draft=draft.replace("\x00", ""), refusal=refusal.detail)
    return templating.page(request, "tracking/status.html", page.context(), refusal.status)


def _read_answer(text: str) -> Answer:
    try:
        return Answer(text.strip().lower())
    except ValueError:
        raise BadInput(
            Sentence("Please answer with yes or no."), fields={"answer": "yes or no"}
        ) from None


def _read_words(text: str) -> str:
    words = text.replace("\x00", "").strip()
    if len(words) > LONGEST_ANSWER:
        raise BadInput(
            Sentence(
                "That is too long to send: please keep it under {most} letters.",
                most=LONGEST_ANSWER,
            ),
            fields={"words": f"at most {LONGEST_ANSWER} letters"},
        )
    return words


def _read_time(
    text: str, question: FollowUp, given: Answer, request: ServiceRequest, now: datetime
) -> datetime | None:
    """The time that a question for one is answered with, on the customer's clock.

    Raises BadInput where it is missing, over, or more than a year away.
    """
    if question.expects != Expects.TIME or given == Answer.NO:
        return None
    try:
        local = datetime.fromisoformat(text.strip())
    except ValueError:
        local = None
    if local is None or local.tzinfo is not None:
        raise BadInput(
            Sentence("Please choose a day and a time."), fields={"at": "a day and a time"}
        )
    at = local.replace(tzinfo=ZoneInfo(request.customer.timezone))
    if not now < at <= now + A_YEAR:
        raise BadInput(
            Sentence("Please choose a time to come, within a year."),
            fields={"at": "a time to come"},
        )
    return at


def _find_question(request: ServiceRequest, follow_up: str) -> FollowUp:
    """The question of that id that was put to this customer. Raises BadInput."""
    for question in request.follow_ups:
        if str(question.id) == follow_up.strip() and question.asked_at is not None:
            return question
    raise BadInput(
        Sentence("That question is not on this page. Please look at it again."),
        fields={"follow_up": "the question that is asked"},
    )
