"""The checks of `kept doctor` that ask other servers: the provider, the mail server, ourselves.

Each has 5 seconds, and they run side by side. Nothing is sent and nothing is changed.
"""

import asyncio
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import aiohttp

from portal import business_time
from portal.messaging.email.smtp import SmtpClient
from portal.messaging.send_errors import SendError
from portal.runtime.check_result import CheckResult, right, warning, wrong
from portal.runtime.doctor_twilio import ANSWER_ERRORS, check_texts
from portal.settings import Settings

TIMEOUT_SECONDS = 5.0
MAX_CLOCK_SKEW_SECONDS = 60
LOOPBACK_HOSTS = {"127.0.0.1", "localhost", "::1"}


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
