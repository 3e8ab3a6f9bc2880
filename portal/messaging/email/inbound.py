"""An incoming e-mail: its envelope is read first, the rest in a child process with limits."""

import re
from dataclasses import dataclass
from typing import Any

from portal.errors import BadInput
from portal.messaging.email.content import MAX_LENGTH
from portal.messaging.email.correspondence import NO_CORRESPONDENCE, Correspondence, Hints
from portal.messaging.email.delivery_report import DeliveryReport
from portal.messaging.email.envelope import Envelope
from portal.messaging.email.machines import Sign, is_automatic
from portal.sandbox import Limits, Sandbox, TaskFailed

MAX_CONCURRENT = 1
"""Mails that one process parses at the same time."""
MAX_WAITING = 8
"""Mails that wait for that; each is in memory."""
LIMITS = Limits(cpu_seconds=5, wall_seconds=30, memory_bytes=512_000_000, output_bytes=30_000_000)
"""What one mail may use: one of 25 MB takes about 1 s and 200 MB."""
REPLY_SUBJECT = re.compile(
    r"\W*+(?:re|fwd?|aw|wg|rv|sv|vs|tr|rif|antw|odp|pd|ynt|enc|رد|إعادة توجيه|回复|答复|转发|回覆|תגובה|ответ)\s?[:：]",  # noqa: RUF001
    re.IGNORECASE,
)
"""A subject that a mail program has made of ours; any other is said by the sender."""
PARSE_CONTENT = "portal.messaging.email.content:parse_content"

__all__ = ["MAX_LENGTH", "EmailAttachment", "InboundEmail", "MailReader", "UnreadableMail"]


@dataclass(frozen=True, slots=True)
class EmailAttachment:
    """A part of a mail that is not its text; name and type are whatever the sender says."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundEmail:
    """A parsed mail.

    ``words`` is the sender's own text without quotes and signature: what counts as said; the
    subject, where a mail has nothing else. ``shown``
    is that with the signature; ``says_more``: the signature may say something, so a person reads
    it. ``whole`` is all of the text, with the subject where there is nothing else.
    ``is_automatic``: no person wrote it. ``report``: a delivery report
    about a mail of ours. ``own_message_ids``: the mails of ours that it names. ``digest`` is of its
    content. ``is_proven``: it came to the reply address of its request.
    """

    message_id: str
    sender: str
    recipients: str
    words: str
    shown: str = ""
    says_more: bool = False
    whole: str = ""
    files: tuple[EmailAttachment, ...] = ()
    is_automatic: bool = False
    report: DeliveryReport | None = None
    own_message_ids: tuple[str, ...] = ()
    digest: str = ""
    is_proven: bool = True


class UnreadableMail(BadInput):
    """The mail is over a limit of its size, parts or depth, or breaks the parser.

    A 4xx: the mail server that sends it again sends the same.
    """

    def __init__(self) -> None:
        super().__init__("This mail cannot be read: it is too long or too complicated.")


class MailReader:
    """Parses mails in child processes, ``MAX_CONCURRENT`` at a time. It belongs to an event loop."""

    def __init__(self) -> None:
        self._sandbox = Sandbox(MAX_CONCURRENT, MAX_WAITING)

    async def read(
        self, envelope: Envelope, raw: bytes, known: Correspondence = NO_CORRESPONDENCE
    ) -> InboundEmail:
        """The mail whose envelope this is; call it with no transaction open.

        ``known`` is what it may quote.

        Raises UnreadableMail, and Busy where too many mails wait.
        """
        if not envelope.is_whole:
            raise UnreadableMail
        try:
            # Not an argument: every user of the machine reads those.
            hints = Hints(
                known=known,
                may_be_bounce=envelope.may_be_bounce,
                failed_recipients=envelope.failed_recipients,
            ).as_json()
            result = await self._sandbox.run(
                PARSE_CONTENT, hints + raw, LIMITS, {"hints_length": len(hints)}
            )
        except TaskFailed as failed:
            raise UnreadableMail from failed
        return build_email(envelope, result.fields, result.blobs)


def build_email(envelope: Envelope, fields: dict[str, Any], blobs: list[bytes]) -> InboundEmail:
    """The mail of this envelope and this content (``parse_content``)."""
    report = fields["report"]
    is_own_subject = not fields["shown"] and not REPLY_SUBJECT.match(envelope.subject)
    return InboundEmail(
        message_id=envelope.message_id,
        sender=envelope.sender,
        recipients=envelope.recipients,
        words=envelope.subject if is_own_subject else fields["words"],
        shown=fields["shown"],
        says_more=fields["says_more"],
        whole=fields["whole"] or envelope.subject,
        files=tuple(map(EmailAttachment, fields["file_names"], blobs)),
        is_automatic=is_automatic(envelope.signs | {Sign(sign) for sign in fields["signs"]}),
        report=report
        and DeliveryReport(
            report["action"],
            report["status"],
            frozenset(report["recipients"]),
            tuple(report["message_ids"]),
        ),
        own_message_ids=tuple(fields["own_message_ids"]),
        digest=envelope.digest,
    )
