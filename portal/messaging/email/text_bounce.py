"""Bounces in plain words: of mail servers that send no delivery status (qmail, Exim, old ones).

It runs in a child process with limits, so it imports little.
"""

import re
from collections.abc import Sequence

from portal.messaging.email.delivery_report import STATUS_CODE_PATTERN, DeliveryReport

MAX_NOTICE_LENGTH = 10_000
"""Characters of the text that are read."""
MAX_RECIPIENTS = 50
FAILED = re.compile(
    r"(?:could not|couldn.t|cannot|can.t|was not|wasn.t|unable to|not able to) (?:be )?(?:able to )?"
    r"(?:deliver|send|reach)|(?:delivery|message) .{0,60}?failed|failed to deliver|undeliver"
    r"|permanent (?:fatal )?(?:error|failure)|user unknown|unknown user|no such (?:user|recipient|mailbox)"
    r"|mailbox (?:unavailable|not found|does not exist)|address (?:not found|rejected)|returned (?:mail|to sender)"
    r"|no se (?:pudo|ha podido) entregar|no entregad|devuelt[oa]|unzustellbar|nicht zugestellt"
    r"|konnte nicht (?:zugestellt|übermittelt)|n.a pas (?:pu être|été) (?:remis|distribu)|non remis"
    r"|échec de la remise|não (?:pôde|foi possível).{0,30}entreg|impossibile recapitare"
    r"|non è stato possibile (?:recapitare|consegnare)|(?:kon|kan) niet (?:worden )?(?:bezorgd|afgeleverd)"
    r"|onbestelbaar|не (?:может быть|удалось|было) достав|nie (?:mogła|można|udało).{0,30}dostarcz"
    r"|تعذر (?:تسليم|توصيل)|لم يتم تسليم|配信できません|無法傳送|无法投递|退信",
    re.IGNORECASE,
)
DELAYED = re.compile(
    r"\bdelay(?:ed)?\b|not yet been delivered|will (?:be retried|continue|keep trying|try again)|no action is required"
    r"|still trying|temporar(?:y|ily)|you do not need to resend|se seguirá intentando|verzögert|weitere zustellversuche"
    r"|retardé",
    re.IGNORECASE,
)
COPY = re.compile(
    r"^\W*(?:---+ ?(?:below this line|this is a copy|original message|begin message|returned)"
    r"|received: |message-id: |return-path: )",
    re.IGNORECASE | re.MULTILINE,
)
"""Where the returned mail begins."""
ADDRESS = re.compile(r"[\w.+=-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
SMTP_CODE = re.compile(r"(?<![\d.])([45])\d\d[ -]")


def find_text_bounce(
    text: str, message_ids: Sequence[str], failed_recipients: str = ""
) -> DeliveryReport | None:
    """What a mail server says about a mail of ours, in words; None where it says no such thing.

    ``message_ids`` are ours that the mail names; ``failed_recipients`` are of the header
    X-Failed-Recipients. Call it only for mail that comes from a mail server.
    """
    copy = COPY.search(text, 0, MAX_NOTICE_LENGTH)
    notice = text[: copy.start() if copy else MAX_NOTICE_LENGTH]
    named = ADDRESS.findall(f"{failed_recipients}\n{notice}")[:MAX_RECIPIENTS]
    if not named:
        named = ADDRESS.findall(text[:MAX_NOTICE_LENGTH])[:MAX_RECIPIENTS]
    if not (FAILED.search(notice) or failed_recipients) or not named:
        return None
    status = STATUS_CODE_PATTERN.search(notice)
    code = SMTP_CODE.search(notice)
    is_permanent = bool(status and status[0].startswith("5")) or bool(code and code[1] == "5")
    is_delayed = bool(DELAYED.search(notice)) and not is_permanent
    return DeliveryReport(
        action="delayed" if is_delayed else "failed",
        status=status[0] if status else "5.0.0",
        recipients=frozenset(address.lower() for address in named),
        message_ids=tuple(message_ids),
    )
