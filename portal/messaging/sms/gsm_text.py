# ruff: noqa: RUF001 - this file is about look-alike characters.
"""Replaces characters that are not in GSM 03.38 and have an equivalent there.

One curly quote turns 160 characters a segment into 70. Letters stay as they are: a name keeps its
spelling. Only the Spanish Saturday loses its accent: each date on one would cost a segment more,
and "sab" is not misread.
"""

import re
import unicodedata

QUOTES = dict.fromkeys("‘’‚‛‹›′ʼʹʻ`´＇", "'") | dict.fromkeys("“”„‟«»″〝〞＂", '"')
DASHES = dict.fromkeys("‐‑‒–—―−⁃﹘﹣－•·‧", "-")
OTHER_SUBSTITUTIONS = {
    "…": "...",
    "⁄": "/",
    "\t": " ",
    "\u2028": "\n",
    "\u2029": "\n",
    "\x85": "\n",
}
GSM_SUBSTITUTIONS = str.maketrans(QUOTES | DASHES | OTHER_SUBSTITUTIONS)

SATURDAY = re.compile(r"\b([Ss])á(?=b(?:ado)?\b)")
JOINERS = re.compile(r"(?<![^\x00-\u024f])[\u200c\u200d]|[\u200c\u200d](?![^\x00-\u024f])")
"""Zero-width joiners, except inside an emoji or a script that is written with them."""

INVISIBLE = re.compile(r"[\u00ad\u180e\u200b\u202a-\u202e\u2060-\u2064\ufeff\ufff9-\ufffb]")
DIRECTION_MARKS = re.compile(r"[\u200e\u200f\u061c\u2066-\u2069]")
CONTROL_CHARACTERS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def storable(text: str) -> str:
    """The text without what no database stores: NUL and lone surrogates."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def to_gsm7(text: str) -> str:
    r"""The same words in the plainest characters; letters outside GSM 03.38 and emoji are kept.

    Line ends become ``\n``; control characters, lone surrogates and invisible characters go
    (direction marks stay where the text has right-to-left letters). Doing it twice changes
    nothing more.
    """
    text = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n")
    text = CONTROL_CHARACTERS.sub("", text.translate(GSM_SUBSTITUTIONS))
    text = SATURDAY.sub(r"\1a", text)
    text = INVISIBLE.sub("", text)
    text = JOINERS.sub("", text)
    if not any(unicodedata.bidirectional(character) in {"R", "AL"} for character in text):
        text = DIRECTION_MARKS.sub("", text)
    text = "".join(" " if unicodedata.category(c) == "Zs" else c for c in text)
    return unicodedata.normalize("NFC", text)
