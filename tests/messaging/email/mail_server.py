"""The mail server of the tests: it accepts e-mail of the worker and posts replies and bounces."""

from email.message import EmailMessage, MIMEPart
from email.mime.base import MIMEBase
from email.mime.message import MIMEMessage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

import httpx2

from portal.demo.fake_providers import FakeProviders
from portal.demo.fake_providers.mailbox import Mail
from portal.messaging.email.content import parse_content
from portal.messaging.email.correspondence import Hints
from portal.messaging.email.envelope import read_envelope
from portal.messaging.email.inbound import InboundEmail, build_email
from portal.messaging.email.smtp import SmtpClient
from portal.operations import Operations
from workers.delivery.deliver import ChannelSender
from workers.delivery.gateways import SmtpGateway

MARTIN = "martin@example.com"
TOKEN = {"Authorization": "Bearer the mail hook of the tests"}


class MailServer:
    """The two ways of mail: ``deliver`` is what a worker does, ``receive`` what a mail server does."""

    def __init__(
        self, client: httpx2.AsyncClient, operations: Operations, simulator: FakeProviders
    ) -> None:
        self._client, self._operations, self._simulator = client, operations, simulator

    async def deliver(self, to: str = MARTIN) -> list[Mail]:
        """Hand over all mail that is due; gives all that this address has now, oldest first."""
        settings = self._operations.settings
        mailer = SmtpClient(self._simulator.smtp_url)
        courier = ChannelSender(
            self._operations, SmtpGateway(mailer, self._operations.database, settings)
        )
        while await courier._deliver_batch():
            await courier.finish(within=5)
        return list(self._simulator.mails_to(to))

    async def receive(self, mail: EmailMessage | MIMEBase | bytes, **headers: str) -> int:
        """Hand a mail to our hook; gives the status of the answer."""
        raw = mail if isinstance(mail, bytes) else mail.as_bytes()
        answer = await self._client.post(
            "/hooks/email/inbound", content=raw, headers=headers or TOKEN
        )
        return answer.status_code


def parse(raw: bytes) -> InboundEmail:
    """The mail as the hook reads it, in this process and without limits of time and memory."""
    envelope = read_envelope(raw)
    hints = Hints(
        may_be_bounce=envelope.may_be_bounce, failed_recipients=envelope.failed_recipients
    ).as_json()
    return build_email(envelope, *parse_content(hints + raw, hints_length=len(hints)))


def reply(mail: Mail, words: str, **headers: str) -> EmailMessage:
    """What the reader's program sends back, with these headers set."""
    answer = mail.reply(words)
    for name, value in headers.items():
        del answer[name.replace("_", "-")]
        answer[name.replace("_", "-")] = value
    return answer


def bounce(
    mail: Mail,
    status: str = "5.1.1",
    *,
    action: str = "failed",
    recipient: str = MARTIN,
    to: str = "desk@acme.example",
    returns: str = "message/rfc822",
    diagnostic: str = "smtp; 550 no",
) -> MIMEBase:
    """A delivery status notification (RFC 3464) about this mail."""
    report = MIMEMultipart("report", report_type="delivery-status")
    report["From"], report["To"] = "MAILER-DAEMON@example.com", to
    report["Return-Path"], report["Auto-Submitted"] = "<>", "auto-replied"
    report["Subject"] = "Undelivered Mail Returned to Sender"
    report.attach(MIMEText("I am sorry to have to inform you."))
    said = MIMEBase("message", "delivery-status")
    server, person = MIMEPart(), MIMEPart()
    server["Reporting-MTA"] = "dns; mail.example.com"
    person["Final-Recipient"] = f"rfc822; <{recipient}>"
    person["Action"], person["Status"] = action, status
    person["Diagnostic-Code"] = diagnostic
    said.set_payload([server, person])
    report.attach(said)
    if returns == "message/rfc822":
        report.attach(MIMEMessage(mail.message))
    elif returns:
        headers = "".join(f"{name}: {value}\n" for name, value in mail.headers)
        part = MIMEText(headers)
        part.replace_header("Content-Type", returns)
        report.attach(part)
    return report
