"""What a text costs: its alphabet, its size and how many segments a carrier bills for it.

Source: GSM 03.38 / 3GPP TS 23.038 (alphabet) and TS 23.040 (concatenation); counts agree with
Twilio's own calculator with smart encoding off, which holds a visible character together.
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Literal

Encoding = Literal["GSM-7", "UCS-2"]

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""One septet each. There is a capital Ç but no small one."""

EXTENSION = frozenset("\f^{}\\[~]|€")
"""An escape and a letter: two septets, which stay together."""

GSM = BASIC | EXTENSION


@dataclass(frozen=True, slots=True)
class SegmentCount:
    """The price of a text.

    ``units`` are GSM septets or UTF-16 code units, ``remaining`` how many more fit into the last
    segment, ``non_gsm_characters`` the distinct characters that made it UCS-2, in order of appearance.
    """

    encoding: Encoding
    units: int
    segments: int
    remaining: int
    non_gsm_characters: tuple[str, ...] = ()


def count_segments(text: str) -> SegmentCount:
    """Count a text as it would be billed; the empty text is one segment of no units."""
    if GSM.issuperset(text):
        sizes = [2 if character in EXTENSION else 1 for character in text]
        return _packed("GSM-7", sizes, single=160, part=153, non_gsm_characters=())
    clusters = list(_clusters(text))
    non_gsm_characters = dict.fromkeys(cluster for cluster in clusters if cluster not in GSM)
    sizes = [size for cluster in clusters for size in _ucs2_sizes(cluster, part=67)]
    return _packed("UCS-2", sizes, single=70, part=67, non_gsm_characters=tuple(non_gsm_characters))


def _packed(
    encoding: Encoding,
    sizes: list[int],
    *,
    single: int,
    part: int,
    non_gsm_characters: tuple[str, ...],
) -> SegmentCount:
    """Fill segment after segment; what does not fit whole moves on to the next."""
    units = sum(sizes)
    if units <= single:
        return SegmentCount(encoding, units, 1, single - units, non_gsm_characters)
    segments, used = 1, 0
    for size in sizes:
        if used + size > part:
            segments, used = segments + 1, 0
        used += size
    return SegmentCount(encoding, units, segments, part - used, non_gsm_characters)


def _ucs2_sizes(cluster: str, part: int) -> list[int]:
    """One size for a visible character, or one per code point where no part could hold it."""
    sizes = [2 if ord(character) > 0xFFFF else 1 for character in cluster]
    return [sum(sizes)] if sum(sizes) <= part else sizes


def _clusters(text: str) -> Iterator[str]:
    """Cut a text into what a reader sees as characters (Unicode UAX 29, the parts that matter)."""
    start, flags = 0, 0
    for index in range(1, len(text)):
        previous, character = text[index - 1], text[index]
        flags = flags + 1 if _is_flag_half(previous) else 0
        if not _joined(previous, character, odd_flag_half=flags % 2 == 1):
            yield text[start:index]
            start, flags = index, 0
    if text:
        yield text[start:]


def _joined(previous: str, character: str, *, odd_flag_half: bool) -> bool:
    if _is_control(previous):
        return False
    if _extends(character):
        return True
    if previous == "\u200d":
        return character in JOINABLE_CHARACTERS
    if _is_flag_half(character):
        return odd_flag_half
    if character in SKIN_TONES:
        return unicodedata.category(previous) == "So"
    return _hangul(previous) + _hangul(character) in HANGUL_PAIRS


@cache
def _extends(character: str) -> bool:
    """Marks, joiners, variation selectors and tags belong to the character before them."""
    code = ord(character)
    return (
        unicodedata.category(character) in {"Mn", "Me", "Mc"}
        or code in {0x200C, 0x200D, 0xFF9E, 0xFF9F}
        or 0xE0020 <= code <= 0xE007F
    )


@cache
def _is_control(character: str) -> bool:
    code = ord(character)
    if code in {0x200C, 0x200D} or 0xE0020 <= code <= 0xE007F:
        return False
    return unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"}


def _is_flag_half(character: str) -> bool:
    return 0x1F1E6 <= ord(character) <= 0x1F1FF


def _hangul(character: str) -> str:
    """The role of a Hangul letter: L, V, T, S (syllable LV) or s (syllable LVT); else a dash."""
    code = ord(character)
    if 0xAC00 <= code <= 0xD7A3:
        return "S" if (code - 0xAC00) % 28 == 0 else "s"
    if 0x1100 <= code <= 0x115F or 0xA960 <= code <= 0xA97C:
        return "L"
    if 0x1160 <= code <= 0x11A7 or 0xD7B0 <= code <= 0xD7C6:
        return "V"
    if 0x11A8 <= code <= 0x11FF or 0xD7CB <= code <= 0xD7FB:
        return "T"
    return "-"


HANGUL_PAIRS = frozenset({"LL", "LV", "LS", "Ls", "VV", "VT", "SV", "ST", "sT", "TT"})
SKIN_TONES = frozenset("🏻🏼🏽🏾🏿")
# Twilio's calculator follows Unicode 10, which named what a zero-width joiner may glue;
# emoji joined since then are counted apart there, and so here.
JOINABLE_CHARACTERS = frozenset("♀♂⚕⚖✈❤🌈🌾🍳🎓🎤🎨🏫🏭💋💻💼🔧🔬🗨🚀🚒👦👧👨👩")
