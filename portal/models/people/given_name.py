# ruff: noqa: RUF001 - names are written in several scripts.
"""The name by which a message greets a person, read from the whole name.

Names have no grammar. The first word is the given name only where nothing says otherwise, and a
wrong one offends: عبد alone means "servant". Where it is not sure there is none.
"""

import re
import unicodedata
from collections.abc import Sequence


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


MAX_GREETED_LENGTH = 24
"""Letters. A longer name costs a segment more in each text."""

FAMILY_FIRST_LANGUAGES = frozenset({"hu", "ja", "km", "ko", "vi", "zh"})
"""Languages that write the family name first."""
FAMILY_FIRST_SCRIPTS = ("CJK", "HANGUL", "HIRAGANA", "KATAKANA", "BOPOMOFO")
FAMILY_NAMES = _words(
    "chang chen choi cheng hoang huang hwang huynh jung kwon liu nguyen park pham phan "
    "tran truong wang xu yang zhang zhao zheng zhou zhu"
)
"""Common family names of people who write them first, without accents."""

TITLES = _words(
    "dr dra mr mrs ms mx miss sir madam lady rev prof professor doctor capt col lt sgt hon "
    "sr sra srta señor señora señorita ing lic arq prof profa herr frau mme mlle monsieur madame "
    "sheikh shaikh sheik hajj haj hajji "
    "السيد السيدة الآنسة د دكتور دكتورة الدكتور الدكتورة أستاذ أستاذة الأستاذ الأستاذة الشيخ الحاج "
    "الحاجة م المهندس المهندسة"
)
SPANISH_TITLES = frozenset({"don", "doña", "d", "dña"})
"""Don is also a given name, but not in Spanish."""
SUFFIXES = _words("jr sr ii iii iv md phd esq dds cpa rn mba")
"""What stands after a name, behind a comma or without one."""
NOT_A_PERSON = _words(
    "ltd limited inc llc gmbh corp corporation company co plc ag bv sarl srl sl the team family "
    "familie familia famille estate شركة عائلة"
)
CONJUNCTIONS = frozenset({"and", "und", "y", "et", "or", "و"})
"""Companies, families and couples have no given name."""
COMMANDS = _words(
    "stop stopall unsubscribe cancel end quit optout revoke start unstop yes no help info"
)
"""Carriers act on these keywords, so they are not put into a text of ours."""

SERVANT_OF = re.compile(
    r"(?:abd|abdu|abdo|abdel|abdal|abdul|abdur|abdus|abdool|عبد)", re.IGNORECASE
)
KINSHIP = re.compile(r"(?:abu|abou|umm|oum|um|أبو|ابو|أم|ام)", re.IGNORECASE)
"""A name of two words: what the second one is belongs to the first."""
ARTICLE = re.compile(r"(?:al|el|ul|ur|ar|as|ad|ud|ed|an|at|az|ash)", re.IGNORECASE)
OF_FAITH = re.compile(
    r"(?:(?:al|el|ul|ud|ad|ed)[- ]?)(?:din|deen|dine|haq|haqq|islam|lah|allah)"
    r"|الدين|الله|الإسلام|الاسلام|الحق|الهدى|الزمان",
    re.IGNORECASE,
)
"""The second word of such names as Nur al-Din and سيف الدين."""

COMPOUNDS = {
    first: _words(seconds)
    for first, seconds in {
        "ana": "maria isabel belen cristina lucia teresa rosa victoria paula luisa sofia",
        "anna": "maria lena",
        "carlos": "alberto eduardo andres antonio luis",
        "francisco": "jose javier manuel antonio",
        "jean": "pierre paul luc claude marc michel louis",
        "jesus": "maria manuel antonio",
        "jorge": "luis alberto eduardo",
        "jose": "maria luis antonio manuel miguel angel carlos ramon ignacio javier juan pablo",
        "juan": "carlos jose manuel pablo antonio luis francisco ramon miguel diego ignacio david andres",
        "luis": "miguel alberto fernando carlos enrique angel antonio manuel felipe eduardo",
        "ma": "jose luisa teresa elena isabel carmen",
        "marco": "antonio",
        "maria": "jose luisa teresa elena isabel carmen jesus angeles pilar fernanda cristina eugenia",
        "mary": "ann anne beth jane lou kay ellen",
        "miguel": "angel",
        "pedro": "pablo antonio luis",
        "rosa": "maria elena isabel",
        "victor": "manuel hugo",
    }.items()
}
"""Given names of two words, without accents, by the first of them."""
OF_OUR_LADY = _words(
    "carmen pilar mar rosario rocio socorro consuelo sol valle angeles dolores mercedes nieves luz "
    "paz concepcion milagros remedios"
)
"""What follows "María del" or "María de los" in a given name."""

WITHIN_A_NAME = frozenset("'’ʼ-.\u200c\u200d")
"""What a name has beside letters and their marks: O'Brien, Jean-Pierre, Ma. Teresa, a joiner."""
BESIDE_LETTERS = WITHIN_A_NAME | frozenset('()"“”,')
"""What else may stand in a name, though not in the part that greets: numbers, emoji and these."""
DECORATION = frozenset({"So", "Mn", "Cf", "Sk"})
"""The categories of emoji."""


def given_name(name: str, locale: str) -> str:
    """The given name as it is written, of one or more words; empty where it is not sure."""
    language = locale.replace("_", "-").partition("-")[0].lower()
    words = _ordered_words(unicodedata.normalize("NFC", name))
    if not all(_is_plain(word) for word in words):
        return ""
    words = [word for word in words if not set(map(unicodedata.category, word)) <= DECORATION]
    keys = [_key(word) for word in words]
    titles = TITLES | SPANISH_TITLES if language == "es" else TITLES
    count = next((n for n, key in enumerate(keys) if key not in titles), len(keys))
    words, keys, is_titled = words[count:], keys[count:], count > 0
    while len(keys) > 1 and keys[-1] in SUFFIXES:
        words, keys = words[:-1], keys[:-1]
    if not words or not _is_one_person(words) or (is_titled and len(words) == 1):
        return ""
    is_several = len(words) > 1
    if is_several and (language in FAMILY_FIRST_LANGUAGES or _is_family_first(words[0])):
        return ""
    greeted = " ".join(words[: _length_of_given(words)])
    is_greeted = (
        any(map(str.isalpha, greeted))
        and _is_of_letters(greeted.replace(" ", ""))
        and len(greeted) <= MAX_GREETED_LENGTH
        and not greeted.endswith(".")
        and _key(greeted) not in COMMANDS
    )
    return greeted if is_greeted else ""


def staff_first_name(name: str) -> str:
    """The name by which customers know a member of staff: never the surname where it is known.

    A name that cannot be read is shown by its first word; a title with a single name as it is.
    """
    words = name.split()
    if not words:
        return ""
    is_titled = len(words) == 2 and _key(words[0]) in TITLES
    return given_name(name, "") or (name.strip() if is_titled else words[0])


def _ordered_words(name: str) -> list[str]:
    """The words of the name, the given names first: "Miller, Martin" is Martin Miller."""
    family, comma, rest = name.partition(",")
    if comma and "," not in rest and rest.split():
        after = rest.split()
        if {_key(word) for word in after} <= SUFFIXES:
            return family.split()
        return after + family.split()
    return name.split()


def _length_of_given(words: list[str]) -> int:
    """How many of the words are the given name; 0 where none is sure."""
    first, rest = words[0], words[1:]
    if SERVANT_OF.fullmatch(first) or KINSHIP.fullmatch(first):
        length = 3 if rest and ARTICLE.fullmatch(rest[0]) else 2
        return length if len(words) >= length else 0
    if rest and OF_FAITH.fullmatch(rest[0]):
        return 2
    if len(rest) > 1 and OF_FAITH.fullmatch(f"{rest[0]} {rest[1]}"):
        return 3
    keys = [_plain(word) for word in words]
    if keys[0] == "maria" and len(keys) > 2 and keys[1] in ("del", "de"):
        last = 3 if keys[2] in ("la", "los", "las") else 2
        if len(keys) > last and keys[last] in OF_OUR_LADY:
            return last + 1
    if len(keys) > 1 and keys[1] in COMPOUNDS.get(keys[0], ()):
        return 2
    return 1


def _is_plain(word: str) -> bool:
    """Whether the word holds nothing that no name holds: no markup and no address."""
    if "." in word[:-1] or set(word) <= WITHIN_A_NAME:
        return False
    return all(
        unicodedata.category(letter)[0] in "LMN"
        or unicodedata.category(letter) == "So"
        or letter in BESIDE_LETTERS
        for letter in word
    )


def _is_of_letters(word: str) -> bool:
    return all(
        unicodedata.category(letter)[0] in "LM" or letter in WITHIN_A_NAME for letter in word
    )


def _is_one_person(words: Sequence[str]) -> bool:
    keys = {_key(word) for word in words}
    return not NOT_A_PERSON & keys and not CONJUNCTIONS & {word.casefold() for word in words}


def _is_family_first(word: str) -> bool:
    letter = unicodedata.name(word[0], "")
    return letter.startswith(FAMILY_FIRST_SCRIPTS) or _plain(word) in FAMILY_NAMES


def _key(word: str) -> str:
    return word.casefold().rstrip(".")


def _plain(word: str) -> str:
    """The word in small letters without accents."""
    letters = unicodedata.normalize("NFKD", _key(word))
    return "".join(letter for letter in letters if not unicodedata.combining(letter))
