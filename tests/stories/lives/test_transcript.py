"""A transcript that differs fails with a unified diff; only who asks for it writes the file anew."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from tests.stories.lives import transcript
from tests.stories.lives.transcript import WRITE, Transcript, lines_above_timeline

PAGE = """
<body><section class="now-at" aria-labelledby="headline">
<h1 id="headline">Your quote is <bdi>&pound;80</bdi> .</h1>
<i class="face" aria-hidden="true">D</i>
<dl class="next"><div><dt>Next</dt><dd>Repairing it</dd></div></dl>
<select name="at"><option value="1">Mon</option><option>Tue</option><option>Wed</option>
<option>Thu</option></select>
<button name="answer" value="yes">Yes</button><button>No</button></section>
<section class="way">Your timeline</section></body>
"""


@pytest.fixture
def life(tmp_path, monkeypatch):
    """A transcript with one text, whose file would be in a folder of this test."""
    monkeypatch.setattr(transcript, "FOLDER", tmp_path)
    monkeypatch.delenv(WRITE, raising=False)
    monkeypatch.delenv("CI", raising=False)
    life = Transcript("A life", ZoneInfo("America/New_York"))
    life.add(datetime(2025, 6, 3, 14, tzinfo=UTC), "TEXT to Ann", "See http://x/r/abc")
    life.stands_for["[link]"] = "http://x/r/abc"
    return life


def test_transcript_shows_local_time_and_no_random_link(life):
    assert life.text() == "A life\n======\n\nTue 3 Jun 10:00  TEXT to Ann\n    See [link]\n"


def test_changed_sentence_fails_with_a_unified_diff(life, tmp_path):
    (tmp_path / "a.txt").write_text(life.text().replace("See", "Look at"), encoding="utf-8")
    with pytest.raises(pytest.fail.Exception) as failure:
        life.check("a.txt")
    lines = str(failure.value).splitlines()
    assert lines[:2] == ["--- a.txt", "+++ this run"]
    assert lines[-2:] == ["-    Look at [link]", "+    See [link]"]


def test_transcript_is_written_where_it_is_asked_for_and_the_test_does_not_pass(
    life, tmp_path, monkeypatch
):
    monkeypatch.setenv(WRITE, "1")
    with pytest.raises(pytest.skip.Exception):
        life.check("a.txt")
    assert (tmp_path / "a.txt").read_text(encoding="utf-8") == life.text()
    monkeypatch.delenv(WRITE)
    life.check("a.txt")


def test_ci_never_writes(life, tmp_path, monkeypatch):
    monkeypatch.setenv(WRITE, "1")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception):
        life.check("a.txt")
    assert not (tmp_path / "a.txt").exists()


def test_page_becomes_the_lines_that_are_read():
    assert lines_above_timeline(PAGE) == [
        "Your quote is £80.",
        "Next: Repairing it",
        "(Mon · Tue · Wed · and 1 more)",
        "[Yes]",
        "[No]",
    ]
