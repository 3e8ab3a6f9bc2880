"""Where a signature begins: what stands below it is shown to staff and decides nothing."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from portal.messaging.email.own_text.sent_text import words_of

PRODUCT = (
    r"(?:iphone|ipad|ios|android|outlook|yahoo|samsung|galaxy|gmail|gmx|web\.de|mail\.ru|yandex|spark"
    r"|blue ?mail|proton|k-9|fairemail|zoho|huawei|xiaomi|redmi|blackberry|windows|thunderbird|aol"
    r"|hotmail|mail app|smartphone|mobile|phone|handy|tel[eé]fono|móvil|t[eé]l[eé]phone|telefoon|hp"
    r"|qq邮箱|网易|手机|手機|هاتف|جوال|آيفون|телефон)"
)
VERB = (
    r"(?:(?:sent (?:from|with|via|using|by)|enviado|enviada|envoyé|gesendet|inviat[oa]|verzonden|verstuurd"
    r"|wysłan[eoy]|skickat|sendt|lähetetty|отправлено|get|obtener|obter|obtenez|télécharge[rz]"
    r"|holen sie sich|scarica|ottieni|download|pobierz)(?!\w)"
    r"|נשלח|أُ?رسلت?|مُ?رسلة?|تم ال?إرسال|发自|發自|发送自|發送自|從|从)"
)
DEVICE = re.compile(
    rf"\W*(?:sent from my \S.{{0,60}}|{VERB}.{{0,50}}?{PRODUCT}.{{0,60}}"
    rf"|(?:von|aus|diese nachricht wurde von) .{{0,30}}{PRODUCT}.{{0,40}}gesendet"
    rf"|.{{0,20}}{PRODUCT}.{{0,20}}(?:gönderildi|から送信|에서 보냄|傳送|发送))\W*",
    re.IGNORECASE,
)
"""What a phone or a mail program writes below each mail: a verb, and the name of a product."""
DELIMITER = re.compile(r"\s*(?:-- ?|—|––)\s*")  # noqa: RUF001
RULE = re.compile(r"\s*[-_=*~—–]{3,}\s*")  # noqa: RUF001
CONTACT = re.compile(
    r"@\w|https?://|\bwww\.|(?:\d[ ()./-]{0,2}){7}"
    r"|\b(?:ltd|llc|inc|gmbh|corp|s\.?l\.?u?|s\.a\.|b\.v\.|plc|pty|tel|phone|mobile|fax)\b",
    re.IGNORECASE,
)
DISCLAIMER = re.compile(
    r"\b(?:confidential|privileged|intended (?:only )?(?:for|recipient)|addressee|unauthori[sz]ed use"
    r"|disclaimer|confidencial(?:idad)?|destinatario|aviso legal|vertraulich|empfänger bestimmt"
    r"|confidentiel|destinataire|riservat[oae]|vertrouwelijk|before printing|think of the environment"
    r"|unsubscribe from our|to unsubscribe|virus[- ]free|sin virus)\b|سري(?:ة)?\b|غير مصرح",
    re.IGNORECASE,
)
POSTSCRIPT = re.compile(r"\s*p\.?\s?s\b|\s*p\.?\s?d\.", re.IGNORECASE)
MAX_BLOCK_LINES = 12
"""Lines of a block that has no mark but a name or an address; what is longer is text."""
MAX_TAIL = 60
MAX_DEVICE_LENGTH = 200
MAX_NAME_WORDS = 5
MIN_REPEATED_WORDS = 4


@dataclass(frozen=True, slots=True)
class Signed:
    """The lines above the signature, and those below.

    ``is_sure``: all that stands below is a signature; otherwise it may say something.
    """

    above: Sequence[str]
    below: Sequence[str]
    is_sure: bool = True


def without_device_lines(lines: Sequence[str]) -> list[str]:
    """The lines without the last ones that a phone or a mail program has written."""
    end = len(lines)
    kept = end
    while end and (
        not lines[end - 1].strip() or DEVICE.fullmatch(lines[end - 1][:MAX_DEVICE_LENGTH])
    ):
        end -= 1
        kept = end
    if kept and DELIMITER.fullmatch(lines[kept - 1]) and kept < len(lines):
        kept -= 1
    return list(lines[:kept])


def last_lines(text: str) -> list[list[str]]:
    """The words of the last lines of an earlier e-mail, as ``split_signature`` takes them."""
    lines = text.rstrip().split("\n")[-MAX_TAIL:]
    return [said for line in lines if (said := words_of(line))]


def split_signature(
    lines: Sequence[str],
    names: Sequence[str],
    earlier: Sequence[Sequence[list[str]]],
    *,
    has_words: bool = False,
) -> Signed:
    """Split the sender's own lines.

    ``names`` are theirs; ``earlier`` are the ``last_lines`` of e-mails of theirs; ``has_words``:
    something of theirs stands above these lines. The first sign from the top that leaves something
    above it counts. Signs other than a delimiter or a rule are looked for in the last ``MAX_TAIL``
    lines.
    """
    repeated = _start_of_repeated(lines, earlier)
    named = {tuple(words_of(name)) for name in names} - {()}
    tail = max(len(lines) - MAX_TAIL, 0)
    for at, line in enumerate(lines):
        is_rule = bool(DELIMITER.fullmatch(line) or RULE.fullmatch(line))
        if has_words and (is_rule or at >= tail):
            is_sure = at == repeated or _begins_signature(lines, at, named)
            if is_sure or _may_begin_signature(lines, at):
                below = lines[at:]
                has_postscript = any(POSTSCRIPT.match(line) for line in below)
                return Signed(lines[:at], below, is_sure=is_sure and not has_postscript)
        has_words = has_words or bool(line.strip())
    return Signed(lines, ())


def _begins_signature(lines: Sequence[str], at: int, named: set[tuple[str, ...]]) -> bool:
    line = lines[at]
    is_paragraph = at == 0 or not lines[at - 1].strip()
    if DELIMITER.fullmatch(line) or (is_paragraph and DEVICE.fullmatch(line[:MAX_DEVICE_LENGTH])):
        return True
    if is_paragraph and DISCLAIMER.search(_paragraph(lines, at)):
        return True
    if not _is_short_block(lines, at) or any(map(_tells, lines[at + 1 :])):
        return False
    if RULE.fullmatch(line):
        return bool(CONTACT.search("\n".join(lines[at:])) or _has_name(lines[at:], named))
    return _is_name(line, named)


def _may_begin_signature(lines: Sequence[str], at: int) -> bool:
    """A rule, or a last block of several lines with an address or a number of theirs."""
    if RULE.fullmatch(lines[at]):
        return True
    if (at and lines[at - 1].strip()) or not lines[at].strip():
        return False
    block = [line for line in lines[at:] if line.strip()]
    return 2 <= len(block) <= MAX_BLOCK_LINES and bool(CONTACT.search("\n".join(block)))


def _tells(line: str) -> bool:
    """Whether the line may be a sentence of the sender's."""
    is_boilerplate = DISCLAIMER.search(line) or CONTACT.search(line)
    return len(words_of(line)) > MAX_NAME_WORDS and not is_boilerplate


def _paragraph(lines: Sequence[str], at: int) -> str:
    end = next((below for below in range(at, len(lines)) if not lines[below].strip()), len(lines))
    return " ".join(lines[at:end])[:2_000]


def _is_short_block(lines: Sequence[str], at: int) -> bool:
    return sum(bool(line.strip()) for line in lines[at : at + 40]) <= MAX_BLOCK_LINES


def _has_name(lines: Sequence[str], named: set[tuple[str, ...]]) -> bool:
    return any(_is_name(line, named) for line in lines[:MAX_BLOCK_LINES])


def _is_name(line: str, named: set[tuple[str, ...]]) -> bool:
    """Whether the line is the sender's name, or a part of it."""
    said = tuple(words_of(line)) if len(line) < 80 else ()
    if not 0 < len(said) <= MAX_NAME_WORDS:
        return False
    return any(
        said == name or (len(said) == 1 and len(said[0]) > 2 and said[0] in name) for name in named
    )


def _start_of_repeated(lines: Sequence[str], earlier: Sequence[Sequence[list[str]]]) -> int | None:
    """Where the block begins that an earlier e-mail of theirs ends with, below other words."""
    tail = range(max(len(lines) - MAX_TAIL, 0), len(lines))
    worded = [number for number in tail if words_of(lines[number])]
    starts = []
    for theirs in earlier:
        count = 0
        while (
            count < min(len(worded), len(theirs))
            and words_of(lines[worded[-1 - count]]) == theirs[-1 - count]
        ):
            count += 1
        is_all = count in (len(worded), len(theirs))
        words = sum(len(said) for said in theirs[len(theirs) - count :])
        if count and not is_all and words >= MIN_REPEATED_WORDS:
            starts.append(worded[-count])
    return min(starts, default=None)
