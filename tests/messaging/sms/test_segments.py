"""Segments are counted as the carrier bills them."""

# ruff: noqa: RUF001 - look-alike characters are the matter here.

import json
import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.messaging.sms.gsm_text import to_gsm7
from portal.messaging.sms.segments import EXTENSION, GSM, count_segments

ORACLE = """
const {SegmentedMessage} = require('sms-segments-calculator');
const texts = JSON.parse(require('fs').readFileSync(0));
console.log(JSON.stringify(texts.map(text => {
  const message = new SegmentedMessage(text, 'auto', false);
  const bits = message.encodingName === 'GSM-7' ? 7 : 16;
  return [message.encodingName,
    message.encodedChars.reduce((units, c) => units + c.codeUnits.length, 0),
    message.segmentsCount,
    Math.floor(message.segments[message.segments.length - 1].freeSizeInBits() / bits),
    [...new Set(message.getNonGsmCharacters())]];
})));
"""


@pytest.mark.parametrize(
    ("text", "encoding", "units", "segments"),
    [
        ("", "GSM-7", 0, 1),
        ("a" * 160, "GSM-7", 160, 1),
        ("a" * 161, "GSM-7", 161, 2),
        ("a" * 306, "GSM-7", 306, 2),
        ("a" * 307, "GSM-7", 307, 3),
        ("€" * 80, "GSM-7", 160, 1),
        ("é" * 70, "GSM-7", 70, 1),
        ("Ç" * 160, "GSM-7", 160, 1),
        ("ç" * 70, "UCS-2", 70, 1),
        ("ç" * 71, "UCS-2", 71, 2),
        ("ç" * 134, "UCS-2", 134, 2),
        ("ç" * 135, "UCS-2", 135, 3),
        ("😀" * 35, "UCS-2", 70, 1),
    ],
)
def test_segments_are_counted_as_billed(text, encoding, units, segments):
    counted = count_segments(text)
    assert (counted.encoding, counted.units, counted.segments) == (encoding, units, segments)


def test_extension_character_is_never_split():
    """The 153rd septet cannot hold half a euro sign, so a part may hold 152."""
    assert count_segments("a" * 152 + "€" + "a" * 152).segments == 3
    assert count_segments("a" * 151 + "€" + "a" * 152).segments == 2


def test_surrogate_pair_is_never_split():
    assert count_segments("ç" * 66 + "😀" + "ç" * 66).segments == 3
    assert count_segments("ç" * 65 + "😀" + "ç" * 67).segments == 2


def test_non_gsm_characters_are_listed_once_in_order():
    assert count_segments("ça va “bien”, ça va").non_gsm_characters == ("ç", "“", "”")
    assert count_segments("ca va").non_gsm_characters == ()


def test_form_feed_is_an_extension_character():
    assert "\f" in EXTENSION
    assert count_segments("\f" * 80).units == 160


def test_counts_match_twilios_calculator(tmp_path: Path):
    """On a fuzzed corpus, where node and the npm package are at hand.

    ``SEGMENTS_ORACLE`` names a folder that holds ``node_modules/sms-segments-calculator``.
    """
    folder = os.environ.get("SEGMENTS_ORACLE", str(Path(__file__).parent))
    node = shutil.which("node")
    if not node or not (Path(folder) / "node_modules/sms-segments-calculator").is_dir():
        pytest.skip("node and npm's sms-segments-calculator are not at hand")
    texts = [*_corpus(seed=20), *_borders()]
    answer = subprocess.run(
        [node, "-e", ORACLE],
        input=json.dumps(texts),
        capture_output=True,
        text=True,
        check=True,
        cwd=folder,
    )
    for text, (encoding, units, segments, remaining, non_gsm_characters) in zip(
        texts, json.loads(answer.stdout), strict=True
    ):
        counted = count_segments(text)
        seen = (counted.encoding, counted.units, counted.segments, counted.remaining)
        assert seen == (encoding, units, segments, remaining), ascii(text)
        if encoding == "UCS-2":
            assert set(counted.non_gsm_characters) == set(non_gsm_characters), ascii(text)


def _corpus(seed: int):
    """Texts about every boundary, out of plain, dear and joined characters."""
    chance = random.Random(seed)
    gsm, extension = list("abcdefghij XYZ.,'\n\r@£éñÇÄ"), list("^{}[]~|€\\\f")
    letters = list("çşłжд你好漢字“”—…אםé")
    joined = [
        "😀",
        "👍🏽",
        "👩‍👩‍👧‍👦",
        "🇺🇸",
        "🇩🇪",
        "❤️",
        "👩‍⚕️",
        "🏳️‍🌈",
        "é",
        "नमस्ते",
        "한국",
        "1️⃣",
        "ก็",
    ]
    for number in range(2000):
        pool = gsm + extension * (number % 2) + letters * (number % 3 == 1)
        pool += joined * (number % 4 == 3)
        near = chance.choice([5, 60, 66, 70, 71, 134, 153, 159, 160, 161, 306, 307, 459, 600])
        yield "".join(chance.choice(pool) for _ in range(near))


def _borders():
    """What must not be split, one by one and in rows, at and about the end of every part."""
    for fill, wholes, single, part in (
        ("a", sorted(EXTENSION), 160, 153),
        ("ç", ["😀", "𝒳", "👍🏽", "🇺🇸", "❤️", "1️⃣", "é", "한국"], 70, 67),
    ):
        for border in (single, *(part * number for number in range(1, 5))):
            for whole in wholes:
                for before in range(max(border - 5, 0), border + 3):
                    head = fill * before
                    yield head + whole
                    yield head + whole * 3 + fill * 4
                    yield head + whole + fill * (part - 2) + whole
    # A dear letter far behind makes all of it dear, the extension characters in front too.
    for before in range(60, 72):
        yield "a" * before + "€" + "ç" * 10
        yield "€" * before + "😀"


@pytest.mark.parametrize(
    ("dear", "cheap"),
    [
        ("it’s “here” — now…", 'it\'s "here" - now...'),
        ("10\u202f000\u00a0EUR\u2009x", "10 000 EUR x"),
        ("a\u200bb\ufeffc\u00add\u2060", "abcd"),
        ("nul\x00 bell\x07 tab\tend", "nul bell tab end"),
        ("one\r\ntwo\rthree\u2028four", "one\ntwo\nthree\nfour"),
        ("Zoe\u0308 and Ren\u00e9e", "Zoë and Renée"),
        ("`quoted´ ‹name› «title»", "'quoted' 'name' \"title\""),
        ("half\ud800 a pair", "half a pair"),
        ("a\u202eb", "ab"),
    ],
)
def test_typographic_characters_become_gsm7(dear, cheap):
    assert to_gsm7(dear) == cheap


@pytest.mark.parametrize(
    "text", ["Łukasz Şen", "François", "山田", "שלום\u200f!", "می\u200cخواهم", "👩‍👩‍👧", "a\nb"]
)
def test_names_keep_their_letters(text):
    """Letters outside GSM, emoji, and the joiners and marks that their scripts need are kept."""
    assert to_gsm7(text) == text


@given(st.text())
def test_to_gsm7_is_idempotent_and_never_adds_segments(text):
    plain = to_gsm7(text)
    assert to_gsm7(plain) == plain
    plain.encode("utf-8")
    if GSM.issuperset(text):
        assert GSM.issuperset(plain)
