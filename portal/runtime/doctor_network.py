"""The checks of `kept doctor` that ask other servers: the provider, the mail server, ourselves.

Each has 5 seconds, and they run side by side. Nothing is sent and nothing is changed.
"""

import asyncio
import base64
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from portal import business_time
from portal.messaging.email.smtp import SmtpClient
from portal.messaging.send_errors import SendError
from portal.runtime.check_result import CheckResult, right, warning, wrong
from portal.settings import Settings

TIMEOUT_SECONDS = 5.0
MAX_CLOCK_SKEW_SECONDS = 60
TWILIO = "https://api.twilio.com"
TWILIO_SERVICES = "https://messaging.twilio.com/v1/Services"
INBOUND_PATH = "/hooks/twilio/inbound"
LOOPBACK_HOSTS = {"127.0.0.1", "localhost", "::1"}
ANSWER_ERRORS = (aiohttp.ClientError, OSError, TimeoutError, ValueError)


async def check_network(settings: Settings) -> list[CheckResult]:
    """The provider, the mail server and the public address, all at once."""
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        found = await asyncio.gather(
            check_texts(settings, session),
            check_mail(settings),
            check_public_url(settings, session),
        )
    return [result for results in found for result in results]


async def check_texts(settings: Settings, session: aiohttp.ClientSession) -> list[CheckResult]:
    """Whether the account takes our credentials, and announces incoming texts to us."""
    if not settings.sends_texts:
        return [warning("Texts: none are sent, as no TWILIO_ setting is given.")]
    place = settings.twilio_api_url or "Twilio"
    base = (settings.twilio_api_url or TWILIO).rstrip("/")
    account_url = f"{base}/2010-04-01/Accounts/{settings.twilio_account_sid}"
    try:
        code, account = await _get(settings, session, f"{account_url}.json")
        if code in {401, 403}:
            return [
                wrong(f"Texts: {place} refuses TWILIO_ACCOUNT_SID with TWILIO_AUTH_TOKEN ({code}).")
            ]
        if code != 200:
            return [wrong(f"Texts: {place} answers {code} for the account.")]
        if account.get("status") not in {None, "active"}:
            return [wrong(f"Texts: the account at {place} is {account['status']}.")]
        return [await _check_webhook(settings, session, account_url)]
    except ANSWER_ERRORS as error:
        return [wrong(f"Texts: {place} cannot be reached ({type(error).__name__}).")]


async def _check_webhook(
    settings: Settings, session: aiohttp.ClientSession, account_url: str
) -> CheckResult:
    """Whether the number is the account's, and announces incoming texts to us."""
    number, ours = settings.twilio_from_number, settings.public_url + INBOUND_PATH
    if number is None:
        return await _check_service(settings, session, ours)
    query = {"PhoneNumber": number}
    code, answer = await _get(settings, session, f"{account_url}/IncomingPhoneNumbers.json", query)
    if code != 200:
        return warning(f"Texts: sent from {number}; its webhook is not shown ({code}).")
    owned = answer.get("incoming_phone_numbers")
    if not owned:
        return wrong(f"Texts: the account has no number {number}; see TWILIO_FROM_NUMBER.")
    return _compare_webhook(number, owned[0].get("sms_url"), ours)


async def _check_service(
    settings: Settings, session: aiohttp.ClientSession, ours: str
) -> CheckResult:
    if settings.twilio_api_url:
        return right(f"Texts: sent from the messaging service by {settings.twilio_api_url}.")
    sid = settings.twilio_messaging_service_sid
    code, answer = await _get(settings, session, f"{TWILIO_SERVICES}/{sid}")
    if code != 200:
        return wrong(f"Texts: Twilio answers {code} for TWILIO_MESSAGING_SERVICE_SID.")
    if answer.get("use_inbound_webhook_on_number"):
        return warning(
            f"Texts: the webhook of each number of the service counts: it must be {ours}."
        )
    return _compare_webhook("the messaging service", answer.get("inbound_request_url"), ours)


def _compare_webhook(sender: str, named: str | None, ours: str) -> CheckResult:
    if named != ours:
        return wrong(
            f"Texts: {sender} announces incoming texts elsewhere; set its webhook to {ours}."
        )
    return right(f"Texts: sent from {sender}, and its webhook is {ours}.")


async def check_mail(settings: Settings) -> list[CheckResult]:
    """Whether the mail server greets us and takes our password."""
    if settings.smtp_url is None:
        return [warning("E-mail: none is sent, as SMTP_URL is not set.")]
    try:
        await SmtpClient(settings.smtp_url, TIMEOUT_SECONDS).probe()
    except SendError as error:
        return [wrong(f"E-mail: the server of SMTP_URL takes none ({error.summary}).")]
    return [right(f"E-mail: sent from {settings.mail_from}; the mail server is ready.")]


async def check_public_url(settings: Settings, session: aiohttp.ClientSession) -> list[CheckResult]:
    """Whether the public address is Kept's, encrypted, and has the same time."""
    parts = urlsplit(settings.public_url)
    is_here = parts.hostname in LOOPBACK_HOSTS
    subject = f"Public address: {settings.public_url}"
    if is_here and settings.sends_texts and settings.twilio_api_url is None:
        return [
            wrong(
                f"Public address: at {settings.public_url} no phone can open a link; set "
                "KEPT_PUBLIC_URL."
            )
        ]
    if not is_here and parts.scheme == "http":
        return [wrong(f"{subject} is not encrypted; put https in front of it.")]
    try:
        async with session.get(f"{settings.public_url}/healthz", allow_redirects=False) as answer:
            is_kept = answer.status == 200 and b'"status"' in await answer.content.read(1000)
            date = answer.headers.get("Date")
        skew = (parsedate_to_datetime(date) - business_time.now()).total_seconds() if date else 0.0
    except ANSWER_ERRORS as error:
        result = warning if is_here else wrong
        return [result(f"{subject} does not answer ({type(error).__name__}).")]
    if not is_kept:
        return [wrong(f"{subject} leads to another server: /healthz answers {answer.status}.")]
    if abs(skew) > MAX_CLOCK_SKEW_SECONDS:
        return [wrong(f"{subject} answers, but its clock differs by {abs(skew):.0f} seconds.")]
    return [right(f"{subject} answers.")]


async def _get(
    settings: Settings,
    session: aiohttp.ClientSession,
    url: str,
    query: dict[str, str] | None = None,
) -> tuple[int, dict[str, Any]]:
    """The code, and the JSON object where it is a 200."""
    password = settings.twilio_auth_tokens[0].get_secret_value()
    credentials = base64.b64encode(f"{settings.twilio_account_sid}:{password}".encode()).decode()
    headers = {"Authorization": f"Basic {credentials}"}
    async with session.get(url, params=query, headers=headers, allow_redirects=False) as answer:
        found = await answer.json(content_type=None) if answer.status == 200 else {}
        return answer.status, found if isinstance(found, dict) else {}
