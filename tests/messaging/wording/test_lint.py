"""The segments and placeholders of each text are checked before it is sent."""

from pathlib import Path

import pytest

from portal.i18n.languages import LANGUAGE_CODES
from portal.messaging.wording import lint
from portal.messaging.wording.lint import TextLinter
from portal.messaging.wording.lint_fields import (
    FIELDS_BY_TEXT,
    PRODUCT_FIELDS,
    TEXTS_WITHOUT_REQUEST,
)
from portal.messaging.wording.renderer import FIELD
from portal.models import ServiceRequest
from portal.paths import TEMPLATES
from portal.workflows import (
    TomlLines,
    read_toml_lines,
    read_workflow,
    read_workflow_file,
    shipped_workflow_files,
)
from tests.support.docs.sms_costs import DOCUMENT, document
from tests.support.factories import Organisation

READER = TextLinter("Acme Bank", "https://kept.example.com")

CARD = """\
key = "card"
name = "Credit card"

[departments.processing]
name = "Card Processing"

[[stages]]
key = "received"
department = "processing"
title = "We have your application"
expected = "4h"
sms = "{brand}: {first_name}, we have it. Next by {next_by}. {link}"

[[stages]]
key = "made"
department = "processing"
title = { en = "Your card is being made", es = "Tu tarjeta" }
expected = "4h"

[[follow_ups]]
after_stage = "made"
question = "Has your card arrived? Reply YES or NO."
"""


def warnings(old: str = "", new: str = "") -> list[tuple[int | None, str]]:
    """The line and the words of each warning, after one thing in the file is changed."""
    assert old in CARD
    text = CARD.replace(old, new, 1)
    found = READER.read_workflow(read_workflow(text), TomlLines(text))
    return [(warning.line, str(warning)) for warning in found]


@pytest.mark.parametrize("path", shipped_workflow_files(), ids=lambda path: path.stem)
def test_every_shipped_text_is_one_segment_even_with_long_names(path: Path) -> None:
    """A brand of 20 letters, a first name of 14, a link of 50: one GSM-7 segment, two in Arabic."""
    assert READER.read_workflow(read_workflow_file(path), read_toml_lines(path)) == []


def test_product_texts_have_known_placeholders_and_fit() -> None:
    """Those in `templates/sms`, in every language: one segment, in Arabic two."""
    assert READER.lint_product_texts() == []


@pytest.mark.parametrize("language", LANGUAGE_CODES[1:])
def test_product_texts_have_the_same_placeholders_in_every_language(
    language: str,
) -> None:
    """A text that is missing, or that says less or more than the English one, is named."""
    english = {path.stem: path for path in (TEMPLATES / "sms" / "en").glob("*.txt")}
    theirs = {path.stem for path in (TEMPLATES / "sms" / language).glob("*.txt")}
    assert theirs ^ set(english) == set()
    assert [
        name
        for name, path in english.items()
        if fields_in(path) != fields_in(TEMPLATES / "sms" / language / path.name)
    ] == []


def fields_in(path: Path) -> list[str]:
    return sorted(FIELD.findall(path.read_text(encoding="utf-8")))


def test_documented_segment_counts_are_current() -> None:
    """docs/texts.md says it; `python -m tests.support.docs.sms_costs` writes it anew."""
    assert DOCUMENT.read_text(encoding="utf-8") == document()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_renderer_fills_every_known_placeholder(
    organisation: Organisation, card_request: ServiceRequest
) -> None:
    """Each field that may stand in any sentence is filled."""
    async with organisation.operations.begin(organisation.people.tess.actor) as uow:
        held = await uow.lock(card_request.reference)
        assert set((await uow.renderer(held)).fields()) == set(PRODUCT_FIELDS)


def test_valid_file_has_no_warnings() -> None:
    """Nor has one whose quotes and dashes become plain ones when they are sent."""
    assert warnings() == []
    assert warnings("we have it.", "we\u2019ve got \u201cit\u201d \u2013 now.") == []


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        (
            "we have it.", f"we have it{50 * '!'}.", 12,
            'stage "received" has an "sms" that costs 2 segments with long names: 193 letters where',
        ),
        # The first text gets "STOP to end", which counts.
        (
            "we have it.", f"we have it{18 * '!'}.", 12, "161 letters where 160 fit. Make it 1 shor",
        ),
        (
            "We have your application", 3 * "We have your application, ", 10,
            'stage "received" has a "title" that costs 2 segments',
        ),
        (
            "Has your card", "Has the card that we have sent to you by courier on the day that we",
            22, 'the follow-up after "made" has a "question" that costs 2 segments',
        ),
        (
            "Tu tarjeta", "Aqu\u00ed est\u00e1 tu tarjeta", 17,
            'outside GSM 03.38: "\u00ed" (letter 4), "\u00e1" (letter 9). They leave 70 letters to a se',
        ),
        (
            "Tu tarjeta", "Aqu\u00ed", 17,
            "so with long names it costs 2 segments. Write them plainly, or keep them and know the",
        ),
        (
            "Tu tarjeta", "\u0628\u0637\u0627\u0642\u062a\u0643 \u0642\u064a\u062f", 17,
            '"\u0642" (letter 4), "\u062a" (letter 5), 3 more. They leave 70',
        ),
    ],
)  # fmt: skip
def test_text_over_one_segment_is_a_warning_with_its_line(
    old: str, new: str, line: int, says: str
) -> None:
    """Too many letters, or letters that make a text dear; by how much, and what to do."""
    ((at, said),) = warnings(old, new)
    assert at == line
    assert says in said


def test_long_brand_and_url_count_towards_the_length() -> None:
    """With a brand and an address that are longer than usual the same words may not fit."""
    text = CARD
    reader = TextLinter("The Northern Building Society", "https://requests.northern.example.com")
    found = reader.read_workflow(read_workflow(text), TomlLines(text))
    assert [warning.line for warning in found] == [10, 12, 17]


@pytest.mark.parametrize(
    ("name", "words", "says"),
    [
        ("en/hold", "{brand}: {frist_name}, wait.", 'the field "{frist_name}", which nobody fills'),
        ("en/hold", "{brand}: wait until {due}.", 'the field "{due}", which nobody fills'),
        ("en/help", "{brand}: {first_name}, hi.", 'the field "{first_name}", which nobody fills'),
        ("es/hold", "{brand}: {link}. Espera", '"." right after {link}'),
        ("es/hold", f"{{brand}}: {150 * 'a'}", "this is a text that costs 2 segments"),
        ("es/hold", "{brand}: as\u00ed", '"\u00ed" (letter 12)'),
    ],
)
def test_faulty_product_text_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, words: str, says: str
) -> None:
    """A field misspelt, or not known there, would reach the customer in its braces."""
    path = tmp_path / "sms" / f"{name}.txt"
    path.parent.mkdir(parents=True)
    path.write_text(words)
    monkeypatch.setattr(lint, "TEMPLATES", tmp_path)
    ((file, warning),) = READER.lint_product_texts()
    assert file == f"{name}.txt"
    assert says in str(warning)


def test_texts_with_own_placeholders_exist() -> None:
    """What is listed apart exists, so that the list cannot grow stale."""
    listed = {name for names in FIELDS_BY_TEXT.values() for name in names} | set(
        TEXTS_WITHOUT_REQUEST
    )
    assert [
        name for name in listed if not (TEMPLATES / "sms" / "en" / f"{name}.txt").exists()
    ] == []
