"""The name of every setting is documented; an old name is accepted with a warning."""

import re
from pathlib import Path

import pytest

from portal.settings import Settings
from portal.settings.old_names import NEW_NAMES
from tests.settings.conftest import NAMES

DOCS = Path(__file__).parents[2] / "docs" / "settings.md"
LIMITS = "Reverse proxy and limits"


def test_fake_providers_have_no_setting():
    """Only `kept demo` starts them, so no variable can start them beside real customers."""
    assert not [name for name in NAMES if "SIMULAT" in name or "DEMO" in name]


def documented_rows(heading):
    """The rows of the tables under this heading of docs/settings.md: first cell, last cell."""
    section = DOCS.read_text().partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return dict(re.findall(r"^\| `(\w+)` \| (?:.+ \| )?(.+) \|$", section, re.MULTILINE))


def test_every_setting_and_its_description_are_documented():
    headings = [
        "Storage",
        "Brand and access",
        "Texts",
        "E-mail",
        "Third parties",
        "Processes",
        LIMITS,
        "Retention",
    ]
    rows = {name: text for heading in headings for name, text in documented_rows(heading).items()}
    described = {
        Settings.environment_name(name): field.description
        for name, field in Settings.model_fields.items()
    }
    assert rows == described


def test_every_old_name_is_documented():
    assert documented_rows("Renamed settings") == {
        old: f"`{new}`" for old, new in NEW_NAMES.items()
    }


@pytest.mark.parametrize(
    ("old", "new", "value"),
    [
        ("KEPT_LARGEST_FILE", "max_upload_bytes", "1000"),
        ("KEPT_CODE_FOR", "verify_for", "nothing"),
        ("KEPT_TEXTS_A_NUMBER", "max_texts_per_number_per_day", "7"),
        ("KEPT_TEXTS_A_REQUEST", "max_texts_per_request", "7"),
        ("KEPT_PARTS_A_MONTH", "max_segments_per_month", "7"),
        ("KEPT_RECONCILE_AFTER", "reconcile_seconds", "7"),
        ("KEPT_POLL_AFTER", "receipt_poll_seconds", "7"),
        ("KEPT_SWEEP_EVERY", "sweep_seconds", "7"),
    ],
)
def test_old_name_is_accepted_with_one_warning(load_with, caplog, old, new, value):
    """The warning names both variables and never a value; one for each start."""
    settings = load_with(**{old: value})
    assert str(getattr(settings, new)).removesuffix(".0") == value
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert record.getMessage() == (
        f"{old} is now named {Settings.environment_name(new)}; "
        "the old name is accepted in this release only."
    )


@pytest.mark.parametrize("place_of_new", ["environment", "file"])
def test_new_name_wins_over_the_old_one(load_with, caplog, tmp_path, place_of_new):
    """Also where the old one stands in the environment and the new one in `.env`."""
    variables = {"KEPT_SWEEP_EVERY": "9"}
    if place_of_new == "file":
        (tmp_path / ".env").write_text("KEPT_SWEEP_SECONDS=7\n")
    else:
        variables["KEPT_SWEEP_SECONDS"] = "7"
    assert load_with(**variables).sweep_seconds == 7
    assert caplog.messages == [
        "KEPT_SWEEP_EVERY is now named KEPT_SWEEP_SECONDS; the old name is ignored."
    ]


def test_old_name_in_the_env_file_is_warned_of(load_with, caplog, tmp_path):
    (tmp_path / ".env").write_text("KEPT_SWEEP_EVERY=9\n")
    assert load_with().sweep_seconds == 9
    assert "KEPT_SWEEP_SECONDS" in caplog.text


def test_new_names_are_not_warned_of(load_with, caplog):
    load_with(KEPT_SWEEP_SECONDS="9")
    assert not caplog.records
