"""Passwords that people try first, which nobody may choose (NIST SP 800-63B, 5.1.1.2).

``common_passwords.txt.gz`` has the 19,646 most common ones, in lower case, as Django 5.2 ships them
(from Royce Williams's list of cracked passwords); its BSD licence stands beside it.
"""

import gzip
import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from pathlib import Path

COMMON_PASSWORDS = Path(__file__).with_name("common_passwords.txt.gz")
MAX_ADDED_CHARACTERS = 8
"""Digits and signs around a common word: "Password2026!" is still that word."""
MIN_DISTINCT_CHARACTERS = 5
MIN_PERSONAL_LENGTH = 3
MIN_OWN_CHARACTERS = 8
"""What has to be left without the names of the person and the organisation."""
MIN_RUN = 3
MAX_OUTSIDE_RUNS = 4
RUNS = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "qwertzuiop",
    "yxcvbnm",
    "azertyuiop",
    "qsdfghjklm",
    "wxcvbn",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "1q2w3e4r5t6y7u8i9o0p",
    "!@#$%^&*()_+",
)
"""Rows and columns of keyboards, the alphabet, the digits and the signs above them; they count
backwards too."""
LOOKALIKES = str.maketrans("0134578@$!", "oleastbasi")

COMMON = (
    "That is one of the passwords that people try first. Please choose another: three or four "
    "unrelated words make a good one."
)
REPEATED = (
    "That repeats itself too much. Please choose another: three or four unrelated words make a "
    "good one."
)
KEYBOARD_RUN = (
    "That is a row of keys, which people try first. Please choose another: three or four "
    "unrelated words make a good one."
)
PERSONAL = (
    "That is mostly your name, your address or the organisation's name. Please choose words that "
    "have nothing to do with them."
)


def reason_to_refuse(password: str, personal: Iterable[str] = ()) -> str | None:
    """A sentence for the person who chose it; None for a password that is not common.

    ``personal`` are the texts that others know: the person's name and address, the brand.
    """
    folded = unicodedata.normalize("NFKC", password).casefold()
    letters = "".join(character for character in folded if character.isalnum())
    # Signs count where they are the password, and not where they only decorate a word.
    text = folded if _is_of_signs(folded, letters) else letters
    if _is_repeated(text):
        return REPEATED
    if _is_common(folded) or _is_common(text):
        return COMMON
    if _is_run(text):
        return KEYBOARD_RUN
    if len(_without(text, personal)) < MIN_OWN_CHARACTERS:
        return PERSONAL
    return None


def _is_of_signs(folded: str, letters: str) -> bool:
    """True for few letters and digits among many different signs."""
    signs = {character for character in folded if not character.isalnum()}
    return len(letters) < MIN_OWN_CHARACTERS and len(signs) >= MIN_DISTINCT_CHARACTERS


@cache
def _common_passwords() -> frozenset[str]:
    return frozenset(gzip.decompress(COMMON_PASSWORDS.read_bytes()).decode().split())


def _is_common(text: str) -> bool:
    """True for a common password, also with digits around it or with digits for letters."""
    known = _common_passwords()
    core = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", text)
    candidates = {text, text.translate(LOOKALIKES)}
    if len(text) - len(core) <= MAX_ADDED_CHARACTERS:
        candidates |= {core, core.translate(LOOKALIKES)}
    return not known.isdisjoint(candidates)


def _is_repeated(text: str) -> bool:
    """True for one part that is repeated ("abcabcabcabc"), and for very few different characters."""
    return text in (text + text)[1:-1] or len(set(text)) < MIN_DISTINCT_CHARACTERS


def _is_run(letters: str) -> bool:
    """True where runs of three keys or more make up all but four characters."""
    return len(letters) - _length_of_runs(letters) <= MAX_OUTSIDE_RUNS


def _length_of_runs(letters: str) -> int:
    total, start = 0, 0
    while start < len(letters):
        end = start + MIN_RUN
        while end <= len(letters) and _is_one_run(letters[start:end]):
            end += 1
        length = end - 1 - start
        if length < MIN_RUN:
            start += 1
        else:
            total += length
            start += length
    return total


def _is_one_run(part: str) -> bool:
    backwards = part[::-1]
    return any(part in run or backwards in run for run in RUNS) or len(set(part)) == 1


def _without(letters: str, personal: Iterable[str]) -> str:
    """The letters that are left without the parts of these texts, the longest part first."""
    parts = {part for text in personal for part in re.split(r"[\W_]+", text.casefold())}
    for part in sorted(parts, key=len, reverse=True):
        if len(part) >= MIN_PERSONAL_LENGTH:
            letters = letters.replace(part, "")
    return letters
