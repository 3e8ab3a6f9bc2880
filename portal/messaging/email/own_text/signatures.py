"""Where a signature begins: what stands below it is shown to staff and decides nothing."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from portal.messaging.email.own_text.sent_text import WORD, words_of

PRODUCT = (
    r"(?:iphone|ipad|ios|android|outlook|yahoo|samsung|galaxy|gmail|gmx|web\.de|mail\.ru|yandex|spark"
    r"|blue ?mail|proton|k-9|fairemail|zoho|huawei|xiaomi|redmi|blackberry|windows|thunderbird|aol"
    r"|hotmail|mail|smartphone|mobile|phone|handy|tel[eé]fono|móvil|t[eé]l[eé]phone|telefoon|hp|nokia"
    r"|motorola|verizon|t-mobile|at&t|pixel|oneplus|honor|oppo|vivo|realme|sony|xperia|lg|tablet|surface|mac(?:book)?"
    r"|qq邮箱|网易|手机|手機|هاتف|جوال|آيفون|телефон\w?)"
)
TAIL = (
    rf"(?:{PRODUCT}|device|app|secure|4g|5g|e-?mail|pro|max|plus|ultra|mini|note|edge|for|für|para|pour|per|voor|från"
    r"|from|on|via|the|network|verizon|at&t|t-mobile|vodafone|[a-z]{0,3}\d{1,4}[a-z]{0,2}|celular|mobil)"
)
DEVICE_NAME = rf"{PRODUCT}(?![a-z\d])(?:[^\w\n]{{1,2}}{TAIL}(?![a-z\d])){{0,6}}"
SENT = (
    r"(?:(?:sent|enviado|enviada|envoyé|gesendet|inviat[oa]|verzonden|verstuurd"
    r"|wysłan[eoy]|skickat|sendt|lähetetty|отправлено)(?!\w)"
    r"|נשלח|أُ?رسلت?|مُ?رسلة?|تم ال?إرسال|发自|發自|发送自|發送自|從|从)"
)
GET = r"(?:get|obtener|obter|obtenez|télécharge[rz]|holen sie sich|scarica|ottieni|download|pobierz)(?!\w)"
LINKING = (
    r"(?:(?:from|with|via|using|by|my|the|an?|desde|de|mi|el|do|meu|depuis|mon|da|dal|mit|von|meinem"
    r"|vanaf|met|mijn|z|ze|mojego|с|со|моего|från|fra|med|min|من|ال|الـ)(?!\w)|מה|我的)"  # noqa: RUF001
)
GAP = r"[\sـ-]{0,2}"
DEVICE = re.compile(
    rf"\W*+(?:{SENT}(?:{GAP}{LINKING}){{1,4}}{GAP}{DEVICE_NAME}(?: שלי)?|(?:发自|發自|从|從){GAP}{DEVICE_NAME}"
    rf"|{GET}\s{{1,2}}{DEVICE_NAME}|(?:von|aus)(?: meinem| my)?\s{{1,2}}{DEVICE_NAME}\s{{1,2}}gesendet"
    rf"|{DEVICE_NAME}(?:['’]\w{{1,8}})?\s{{0,2}}(?:gönderildi|から送信|에서 보냄|傳送|发送))"  # noqa: RUF001
    r"(?:<?https?://\S{1,200}|\W){0,6}",
    re.IGNORECASE,
)
"""What a phone or a mail program writes below each mail: nothing but a verb and a product's name."""
LIKE_DEVICE = re.compile(rf"\W*+{SENT}(?:{GAP}{LINKING}){{1,4}}\W", re.IGNORECASE)
"""A line that begins like that: a phone that is not listed may have written it, or the sender."""
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
MIN_REPEATS = 2
"""Earlier e-mails that end with the same block: what is said twice may be a complaint."""
MIN_DISCLAIMER_WORDS = 8
ADDRESS_OR_NUMBER = re.compile(
    r"\S{1,64}@\S{1,200}|(?:https?://|www\.)\S{1,200}|[+\d(][\d ()./-]{4,30}"
)
CONTACT_WORDS = frozenset(
    {
        "tel",
        "phone",
        "mobile",
        "mob",
        "cell",
        "fax",
        "email",
        "mail",
        "web",
        "www",
        "ltd",
        "llc",
        "and",
        "of",
        "the",
        "de",
        "la",
        "del",
        "y",
        "und",
        "von",
        "et",
        "e",
    }
)
MAX_CAPITALS = 4
"""Letters of a word in capitals that may be a part of a name or an address."""


@dataclass(frozen=True, slots=True)
class Signed:
    """The lines above the signature.

    ``is_sure``: all that stands below is a signature; otherwise it may say something.
    """

    above: Sequence[str]
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
    named = {tuple(words_of(name)) for name in names} - {()}
    repeated = _start_of_repeated(lines, earlier)
    tail = max(len(lines) - MAX_TAIL, 0)
    for at, line in enumerate(lines):
        is_rule = bool(DELIMITER.fullmatch(line) or RULE.fullmatch(line))
        if has_words and (is_rule or at >= tail):
            is_signature = at == repeated or _begins_signature(lines, at, named)
            if is_signature or _may_begin_signature(lines, at):
                below = lines[at:]
                until = repeated if repeated is not None and repeated >= at else len(lines)
                is_sure = is_signature and (
                    bool(DELIMITER.fullmatch(line)) or _is_plain(lines[at:until], named)
                )
                if until < len(lines):
                    is_sure = is_sure and _says_who(lines[until:], named)
                has_postscript = any(POSTSCRIPT.match(line) for line in below)
                return Signed(lines[:at], is_sure=is_sure and not has_postscript)
        has_words = has_words or bool(line.strip())
    return Signed(lines)


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


def _is_plain(lines: Sequence[str], named: set[tuple[str, ...]]) -> bool:
    """Whether each line is a name, contact data, a program's line, or of a disclaimer."""
    rest: list[str] = []
    for line in (*lines, ""):
        if not line.strip():
            said = " ".join(rest)[:2_000]
            is_disclaimer = len(words_of(said)) >= MIN_DISCLAIMER_WORDS and DISCLAIMER.search(said)
            if rest and not is_disclaimer:
                return False
            rest = []
        elif rest or not _is_plain_line(line, named):
            rest.append(line)
    return True


def _is_plain_line(line: str, named: set[tuple[str, ...]]) -> bool:
    is_mark = DELIMITER.fullmatch(line) or RULE.fullmatch(line)
    is_of_program = DEVICE.fullmatch(line[:MAX_DEVICE_LENGTH])
    return bool(is_mark or is_of_program) or _is_name(line, named) or _is_contact_data(line)


def _is_contact_data(line: str) -> bool:
    """Whether the line is an address, a number or a company, and says nothing else."""
    if not CONTACT.search(line) or line.rstrip().endswith(("!", "?", "؟")):
        return False
    return all(map(_is_part_of_name, WORD.findall(ADDRESS_OR_NUMBER.sub(" ", line))))


def _is_part_of_name(word: str) -> bool:
    is_written_large = word[0].isupper() and (len(word) <= MAX_CAPITALS or not word.isupper())
    return word[0].isdigit() or word.lower() in CONTACT_WORDS or is_written_large


def _says_who(lines: Sequence[str], named: set[tuple[str, ...]]) -> bool:
    """Whether contact data or a part of the sender's name stands in these lines."""
    said = {word for line in lines for word in words_of(line)}
    names = {word for name in named for word in name if len(word) > 2}
    return not names.isdisjoint(said) or bool(CONTACT.search("\n".join(lines)))


def _may_begin_signature(lines: Sequence[str], at: int) -> bool:
    """A rule, a device, or a last block of several lines with an address or a number of theirs."""
    if RULE.fullmatch(lines[at]):
        return True
    if (at and lines[at - 1].strip()) or not lines[at].strip():
        return False
    if LIKE_DEVICE.match(lines[at]):
        return True
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
    """Where the block begins that ``MIN_REPEATS`` e-mails of theirs end with, below other words."""
    tail = range(max(len(lines) - MAX_TAIL, 0), len(lines))
    worded = [number for number in tail if words_of(lines[number])]
    said = [words_of(lines[number]) for number in worded]
    starts = []
    for theirs in earlier:
        count = 0
        while count < min(len(said), len(theirs)) and said[-1 - count] == theirs[-1 - count]:
            count += 1
        is_all = count in (len(said), len(theirs))
        words = sum(len(line) for line in theirs[len(theirs) - count :])
        if count and not is_all and words >= MIN_REPEATED_WORDS:
            starts.append(worded[-count])
    # The longest block that is in so many of them.
    return sorted(starts)[MIN_REPEATS - 1] if len(starts) >= MIN_REPEATS else None
