"""Sends mail by an SMTP server.

Sources: RFC 5321 (SMTP), RFC 3463 (enhanced status codes).
"""

import asyncio
import re
from contextlib import suppress
from email.message import EmailMessage
from typing import Any
from urllib.parse import unquote, urlsplit

import aiosmtplib

from portal.messaging.email.composition import UNKNOWN_ADDRESS
from portal.messaging.send_errors import FailureRule, NotSent, OutcomeUnknown, Refused
from portal.models import DeliveryReason

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class SmtpClient:
    """Sends mail by one SMTP server.

    ``smtp_url``: ``smtp://user:password@host:port`` (STARTTLS where it is offered, and required
    where a password would cross a network), ``smtp+starttls://`` (required) or ``smtps://``
    (TLS from the first byte); user and password percent-encoded. ValueError when it is none of
    these. ``timeout`` is a hard limit in seconds for one mail.
    """

    def __init__(self, smtp_url: str, timeout: float = 15) -> None:
        url = urlsplit(smtp_url)
        if url.scheme not in {"smtp", "smtp+starttls", "smtps"} or not url.hostname:
            raise ValueError("SMTP_URL must look like smtp://user:password@host:port")
        self._timeout = timeout
        implicit = url.scheme == "smtps"
        secret_on_a_network = bool(url.username) and url.hostname not in LOOPBACK
        required = url.scheme == "smtp+starttls" or (secret_on_a_network and not implicit)
        self._server: dict[str, Any] = {
            "hostname": url.hostname,
            "port": url.port or (465 if implicit else 587 if required else 25),
            "username": unquote(url.username) if url.username else None,
            "password": unquote(url.password) if url.password else None,
            "use_tls": implicit,
            "start_tls": None if not (implicit or required) else required,
        }

    async def send(self, message: EmailMessage, envelope_from: str = "") -> None:
        """Send one mail, in one attempt.

        ``envelope_from`` is the address that bounces go to; by default the sender's own.
        Raises ``NotSent`` (the server was not reached, or refused for now: the mail may be sent
        again), ``Refused`` (a 5xx of RFC 5321) or ``OutcomeUnknown`` (the connection broke while
        the mail was being sent).
        """
        sender, to = (message[name].addresses[0] for name in ("From", "To"))
        connection = _Connection(
            local_hostname=sender.domain, timeout=self._timeout, **self._server
        )
        try:
            async with asyncio.timeout(self._timeout):
                await connection.connect()
                await connection.sendmail(
                    envelope_from or sender.addr_spec, [to.addr_spec], message.as_bytes()
                )
        except aiosmtplib.SMTPException as error:
            raise _from_answer(error, data_started=connection.data_started) from error
        except (OSError, TimeoutError) as error:
            raise _from_broken_connection(error, data_started=connection.data_started) from error
        else:
            # The mail is accepted: an error in QUIT changes nothing.
            with suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
                async with asyncio.timeout(2):
                    await connection.quit()
        finally:
            connection.close()

    async def probe(self) -> None:
        """Find out whether the server takes mail again: connect and sign in. Raises as ``send``."""
        connection = _Connection(timeout=self._timeout, **self._server)
        try:
            async with asyncio.timeout(self._timeout):
                await connection.connect()
                await connection.quit()
        except aiosmtplib.SMTPException as error:
            raise _from_answer(error, data_started=False) from error
        except (OSError, TimeoutError) as error:
            raise _from_broken_connection(error, data_started=False) from error
        finally:
            connection.close()


class _Connection(aiosmtplib.SMTP):
    """A connection that knows whether DATA, the mail itself, has begun."""

    data_started = False

    async def data(self, *args: Any, **kwargs: Any) -> aiosmtplib.SMTPResponse:
        self.data_started = True
        return await super().data(*args, **kwargs)


def _from_answer(
    error: aiosmtplib.SMTPException, *, data_started: bool
) -> NotSent | OutcomeUnknown | Refused:
    """The error for an SMTP server's answer: 4xx is temporary, 5xx permanent.

    The command that it answers shows whether the address, the content or our account is at fault.
    """
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        error = error.recipients[0]
    if isinstance(error, aiosmtplib.SMTPNotSupported):
        return Refused(500, SERVER_REFUSED, error.message)
    if not isinstance(error, aiosmtplib.SMTPResponseException):
        return _from_broken_connection(error, data_started=data_started)
    if not 500 <= error.code < 600:
        # RFC 5321, 3.8: the server shuts down. Any other 4xx may be about this mail only.
        outage = "the mail server answers 421" if error.code == 421 else ""
        return NotSent(f"The mail server said {error.code}: {error.message}", outage=outage)
    if isinstance(error, aiosmtplib.SMTPRecipientRefused):
        about_the_address = not re.match(r"5\.[2-7]\.", error.message)
        return Refused(
            error.code, UNKNOWN_ADDRESS if about_the_address else MAILBOX_REFUSED, error.message
        )
    if isinstance(error, aiosmtplib.SMTPDataError):
        return Refused(error.code, CONTENT_REFUSED, error.message)
    return Refused(error.code, SERVER_REFUSED, error.message)


def _from_broken_connection(error: Exception, *, data_started: bool) -> NotSent | OutcomeUnknown:
    if data_started:
        return OutcomeUnknown(
            f"No sure answer from the mail server: {error!r}",
            outage="the mail server does not answer",
        )
    return NotSent(
        f"The mail server could not be reached: {error!r}",
        outage="the mail server cannot be reached",
    )


MAILBOX_REFUSED = FailureRule(
    permanent=True, action="person", reason=DeliveryReason.MAILBOX_REFUSES
)
CONTENT_REFUSED = FailureRule(
    permanent=True, action="never_resend", reason=DeliveryReason.MAIL_CONTENT_REFUSED
)
SERVER_REFUSED = FailureRule(
    permanent=False, action="pause_queue", reason=DeliveryReason.MAIL_SERVER_REFUSES_US
)
