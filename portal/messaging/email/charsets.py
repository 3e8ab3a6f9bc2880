"""Text from bytes whose charset is named, named wrongly, or not named at all.

What is named is tried first, strictly. Bytes that are valid UTF-8 beyond ASCII are UTF-8 whatever
is named. Otherwise the share of bytes beyond ASCII decides: few of them are the accents of a Latin
script, many are another script, which charset-normalizer guesses. No byte is lost.
Sources: WHATWG Encoding Standard (labels: Latin-1 is read as windows-1252), RFC 1556 (-i, -e).
"""

import codecs
import re
from collections.abc import Iterable
from email.errors import HeaderParseError
from email.header import decode_header, make_header

MAX_GUESSED = 4_000
"""Bytes that a guess is made from; the limit of its time."""
SEVEN_BIT = ("iso2022", "hz", "utf-7", "utf-16", "utf-32")
LATIN = frozenset({"ascii", "iso8859-1", "cp1252", "iso8859-15", "iso8859-9", "cp1254"})
MULTIBYTE = ("gb", "big5", "shift_jis", "euc", "cp932", "cp949", "johab", "iso2022")
OTHER_SCRIPTS = [
    "cp1256", "cp1251", "koi8_r", "cp1255", "cp1253", "cp874", "gb18030", "big5", "cp932",
    "euc_jp", "cp949",
]  # fmt: skip
SCRIPT_RANGES = {
    "cp1256": "؀-ۿ", "cp1251": "Ѐ-ӿ", "koi8_r": "Ѐ-ӿ", "cp1255": "֐-׿", "cp1253": "Ͱ-Ͽ",
    "cp874": "฀-๿",
}  # fmt: skip
"""The letters that a text in this charset has, where it is in its script."""
ALIASES = {
    "utf8mb4": "utf-8", "unicode-1-1-utf-8": "utf-8", "windows-874": "cp874", "x-sjis": "cp932",
    "shift_jis": "cp932", "gb2312": "gb18030", "gbk": "gb18030", "ks_c_5601-1987": "cp949",
    "euc-kr": "cp949", "x-mac-roman": "mac_roman", "macintosh": "mac_roman", "cp-850": "cp850",
    "iso-8859-8": "cp1255", "iso-8859-1": "cp1252", "latin1": "cp1252", "iso8859-1": "cp1252",
    "iso_8859-1": "cp1252", "tis-620": "cp874", "iso-8859-11": "cp874",
}  # fmt: skip
"""Labels that Python lacks, and supersets that people mean. Windows-1255 has the letters of 8859-8."""
DIRECTION_SUFFIX = re.compile(r"(iso-?8859-\d+)-[ie]")
META_CHARSET = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?([\w-]{1,40})", re.IGNORECASE)
MIN_FOREIGN_LETTERS = 4
HIGH_BYTE = re.compile(rb"[\x80-\xff]")
LETTER_BYTE = re.compile(rb"[A-Za-z\x80-\xff]")


def decode_text(data: bytes, label: str = "", language: str = "") -> str:
    """The text of these bytes.

    ``label`` is the charset that the sender names, ``language`` the customer's, which decides where
    a few bytes could be in several scripts. Never raises.
    """
    if data.startswith(codecs.BOM_UTF8):
        data, label = data[len(codecs.BOM_UTF8) :], "utf-8"
    codec = _codec(label)
    if codec.startswith(SEVEN_BIT) or b"\x1b$" in data:
        shifted = _strict(data, codec if codec.startswith(SEVEN_BIT) else "iso2022_jp")
        if shifted is not None:
            return shifted
    utf8 = _strict(data, "utf-8")
    is_short = len(HIGH_BYTE.findall(data)) < MIN_FOREIGN_LETTERS
    if utf8 is not None and not (codec.startswith(MULTIBYTE) and is_short):
        return utf8
    named = None if codec in ("", "ascii", "utf-8") else _strict(data, codec)
    if named is not None and not (codec in LATIN and _is_foreign(data, language)):
        return named
    return _mixed_utf8(data) or _guess(data, language)


def decoded_header(header: str) -> str:
    """The text of a header with encoded words (RFC 2047), whose charset may be a wrong one."""
    try:
        words = [
            (decode_text(word, charset or ""), "utf-8") if isinstance(word, bytes) else (word, None)
            for word, charset in decode_header(header)
        ]
        text = str(make_header(words))
    except (HeaderParseError, LookupError, ValueError):
        text = header
    return " ".join(text.encode("utf-8", "replace").decode().replace("\x00", "").split())


def declared_in_page(data: bytes) -> str:
    """The charset that a page names in its head, or nothing."""
    found = META_CHARSET.search(data, 0, 2_000)
    return found[1].decode("ascii", "ignore") if found else ""


def _codec(label: str) -> str:
    """Python's name of the charset; empty for one that nobody knows."""
    said = label.strip().strip("\"'").lower().replace(" ", "")
    if found := DIRECTION_SUFFIX.fullmatch(said):
        said = found[1]
    try:
        return codecs.lookup(ALIASES.get(said, said)).name if said else ""
    except (LookupError, ValueError):
        return ""


def _strict(data: bytes, codec: str) -> str | None:
    try:
        return data.decode(codec)
    except (UnicodeError, LookupError, ValueError, TypeError):
        return None


def _is_foreign(data: bytes, language: str) -> bool:
    """Whether most letters are beyond ASCII, as in no language that is written in Latin letters."""
    high = len(HIGH_BYTE.findall(data))
    least = 2 if language == "ar" else MIN_FOREIGN_LETTERS
    return high >= least and high * 2 > len(LETTER_BYTE.findall(data))


def _mixed_utf8(data: bytes) -> str | None:
    """UTF-8 in which a few bytes were broken; None for what is something else."""
    text = data.decode("utf-8", "surrogateescape")
    broken = sum("\udc80" <= letter <= "\udcff" for letter in text)
    sound = sum(not letter.isascii() for letter in text) - broken
    if sound <= 2 * broken:
        return None
    return "".join(
        bytes([ord(letter) - 0xDC00]).decode("cp1252", "ignore")
        if "\udc80" <= letter <= "\udcff"
        else letter
        for letter in text
    )


def _guess(data: bytes, language: str) -> str:
    sample = data[:MAX_GUESSED]
    candidates: Iterable[str] = ()
    if _is_foreign(sample, language):
        candidates = [*(["cp1256"] if language == "ar" else []), *_guessed(sample), *SCRIPT_RANGES]
    for codec in candidates:
        text = _strict(data, codec)
        if text is not None and _is_in_script(text, codec):
            return text
    return _strict(data, "cp1252") or data.decode("latin-1")


def _guessed(sample: bytes) -> list[str]:
    # Few mails need it, and each child process would pay for it.
    from charset_normalizer import from_bytes  # noqa: PLC0415

    return [match.encoding for match in from_bytes(sample, cp_isolation=OTHER_SCRIPTS)]


def _is_in_script(text: str, codec: str) -> bool:
    """Whether nearly all letters beyond ASCII are of the charset's script."""
    letters = [letter for letter in text if not letter.isascii() and letter.isalpha()]
    script = SCRIPT_RANGES.get(codec)
    if script is None or not letters:
        return bool(letters)
    first, last = script[0], script[-1]
    return sum(first <= letter <= last for letter in letters) * 10 >= len(letters) * 9
