"""Each issue in a workflow file is reported with its line and a remedy."""

from pathlib import Path

import pytest

from portal.workflows import WorkflowFileError, read_workflow, read_workflow_file
from tests.workflows.files import FORK, changed, mistakes, stages


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        (
            'department = "processing"',
            'department = "procesing"',
            'card.toml:13: stage "made" is in the department "procesing", which nobody has defined.',
        ),
        ('department = "processing"', 'department = "procesing"', 'Did you mean "processing"?'),
        ('key = "card"', "key = card", "card.toml:1: is not TOML here: invalid value"),
        ('key = "card"\n', "", 'card.toml: the workflow has no "key". Add a line such as'),
        (
            'key = "card"',
            'key = "Card!"',
            'card.toml:1: the workflow has "Card!" as "key". Use lower',
        ),
        ('name = "Credit card"', 'name = " "', 'card.toml:2: the workflow has an empty "name"'),
        (
            'name = "Credit card"',
            'name = "a\\u0000b"',
            "card.toml:2: the workflow has a control ch",
        ),
        (
            'name = "Credit card"',
            f'name = "{90 * chr(120)}"',
            "card.toml:2: the workflow has 90 letters",
        ),
        (
            "America/New_York",
            "America/New_Yrok",
            'card.toml:3: the workflow has "America/New_Yrok" as "timezone", which is none.',
        ),
        ("America/New_York", "America/New_Yrok", 'Did you mean "America/New_York"?'),
        (
            "timezone",
            'prefix = "OIL"\ntimezone',
            'card.toml:3: the workflow has "OIL" as "prefix". Ta',
        ),
        ("[departments.processing]", "[departments.Processing]", "card.toml:5: department"),
        (
            "[departments.processing]",
            "[[departments]]",
            "card.toml:5: the workflow has no table of",
        ),
        (
            "Mon-Fri 09:00",
            "Mon-Fry 09:00",
            'card.toml:7: department "processing" has a value of "hours" that',
        ),
        (
            '"US"',
            '"USA"',
            'card.toml:8: department "processing" has a value of "holidays" that cannot be read',
        ),
        (
            "accept_within",
            "accept_in",
            'card.toml:9: department "processing" has "accept_in", which means nothing here.',
        ),
        ("accept_within", "accept_in", 'Did you mean "accept_within"?'),
        (
            '"4bh"\n\n[[st',
            '"4bh"\nlead_after = "soon"\n\n[[st',
            'card.toml:10: department "processing" has a value of "lead_after',
        ),
        (
            '"4bh"\n\n[[st',
            '"4 hours"\n\n[[st',
            'card.toml:9: department "processing" has a value of "accept_with',
        ),
        (
            '"4bh"\n\n[[st',
            "4\n\n[[st",
            'card.toml:9: department "processing" has 4 as "accept_within".',
        ),
        (
            '"4bh"\n\n[[st',
            "4\n\n[[st",
            'Write a number and its unit in quotes, like accept_within = "4bh".',
        ),
        ('key = "courier"', 'key = "made"', 'card.toml:18: stage "made" is there twice.'),
        ('key = "courier"', 'key = "made"', "The first stands on line 11; each needs its own key."),
        ('key = "courier"\n', "", 'card.toml:17: stage 2 has no "key". Add a line such as key ='),
        (
            'title = "On its way to you"\n',
            "",
            'card.toml:17: stage "courier" has no "title". Add a',
        ),
        (
            'expected = "2d"\n',
            "",
            'card.toml:17: stage "courier" has no "expected". Add a line such',
        ),
        ('expected = "2d"', 'expectd = "2d"', 'Did you mean "expected"?'),
        (
            '"2d"',
            '"-2d"',
            'card.toml:21: stage "courier" has a value of "expected" that cannot be read',
        ),
        (
            '"2d"',
            '"2d"\nmilestone = "no"',
            'card.toml:22: stage "courier" has "no" as "milestone". Wri',
        ),
        (
            '"2d"',
            '"2d"\nafter = "made"',
            'card.toml:22: stage "courier" has "made" as "after". Write a',
        ),
        (
            '"2d"',
            '"2d"\nafter = ["mad"]',
            'card.toml:22: stage "courier" waits for "mad", which is no stage.',
        ),
        ('"2d"', '"2d"\nafter = ["mad"]', 'Did you mean "made"?'),
        (
            '"On its way to you"',
            "7",
            'card.toml:20: stage "courier" has 7 as "title", which customers',
        ),
        ('"On its way to you"', "{}", 'card.toml:20: stage "courier" has a table as "title"'),
        (
            '"On its way to you"',
            '{ English = "a" }',
            'in the language "English". Languages are like',
        ),
        ('"On its way to you"', "{ en = 7 }", 'card.toml:20: stage "courier" has 7 in its "title"'),
        (
            '"On its way to you"',
            '"{next}"',
            'card.toml:20: stage "courier" has a field in braces in',
        ),
        (
            '"2d"',
            '"2d"\nsms = "{firstname}"',
            'card.toml:22: stage "courier" has in its "sms" the field "{firstname}", which nobody f',
        ),
        ('"2d"', '"2d"\nsms = "{firstname}"', 'Did you mean "first_name"?'),
        (
            '"2d"',
            '"2d"\nsms = "{brand.__class__}"',
            'the field "{brand.__class__}", which nobody fills',
        ),
        (
            '"2d"',
            '"2d"\nsms = "Dear {name}"',
            'the field "{name}", which nobody fills. Of the person a text says no more than {first_',
        ),
        ('"2d"', '"2d"\nurgent = "yes"', 'card.toml:22: stage "courier" has "yes" as "urgent".'),
        ('"2d"', '"2d"\nsms = "{brand} {"', "a brace without its partner. Fields stand in braces"),
        (
            '"2d"',
            '"2d"\nsms = "See {link}."',
            '"." right after {link}, and phones would make it part of the link.',
        ),
        ('"2d"', '"2d"\nsms = "See {link}."', "Put a space after {link}, or end the text with it."),
        (
            '"2d"',
            '"2d"\nno = "close"',
            'stage "courier" has "no" but asks nothing. Add question = ',
        ),
        (
            'after_stage = "courier"',
            'after_stage = "curier"',
            'card.toml:24: the follow-up after "curier" names a stage that is not there.',
        ),
        ('after_stage = "courier"', 'after_stage = "curier"', 'Did you mean "courier"?'),
        (
            'after_stage = "courier"\n',
            "",
            'card.toml:23: follow-up 1 has no "after_stage". Add a line',
        ),
        (
            '{ send_back = "made" }',
            '{ send_back = "mad" }',
            'card.toml:26: the follow-up after "courier" has a "no" that leads to "mad", which is n',
        ),
        ('{ send_back = "made" }', '{ send_back = "mad" }', 'Did you mean "made"?'),
        (
            '{ send_back = "made" }',
            '"maybe"',
            'has a "no" that does nothing known. Write "complete", {',
        ),
        ('{ send_back = "made" }', '{ close = "lost" }', 'has a "no" that does nothing known'),
        (
            'no = { send_back = "made" }',
            'no = { send_back = "made" }\nwrong = "complete"',
            'has a "wrong" that does nothing known. Write "person", {',
        ),
        (
            'no = { send_back = "made" }',
            'no = { send_back = "made" }\nlooking = "{ownr} is looking for it"',
            'card.toml:27: the follow-up after "courier" has in its "looking" the field "{ownr}"',
        ),
        ('{ send_back = "made" }', '{ open = "made", close = true }', "that does several things"),
        (
            "[[follow_ups]]",
            "[follow_ups]",
            'card.toml:23: the workflow has "follow_ups" that are no',
        ),
    ],
)
def test_issue_has_its_line_and_a_remedy(old: str, new: str, complaint: str) -> None:
    assert complaint in "\n".join(mistakes(changed(old, new)))


def test_all_issues_are_reported_in_line_order() -> None:
    text = changed('"America/New_York"', '"Nowhere"').replace('"2d"', '"soon"')
    assert [line.partition(": ")[0] for line in mistakes(text)] == ["card.toml:3", "card.toml:21"]


def test_stage_after_a_fork_needs_its_dependencies() -> None:
    branch = 'after = ["a"]'
    (line,) = mistakes(stages(a="", b=branch, c=branch, d=""))
    assert line == (
        'card.toml:23: stage "d" stands below a fork, where "b" and "c" run side by side.'
        ' Say what it waits for, such as after = ["b", "c"].'
    )
    (line,) = mistakes(stages(a="", b=branch, c=branch, d="", e="", f=""))  # the rest is right
    assert 'stage "d"' in line
    (line,) = mistakes(stages(a="", b=branch, c="", d=branch))
    assert 'stage "c" stands below a fork, where "b" and "d" run' in line
    (line,) = mistakes(stages(a="", b=branch, c=branch, d='after = ["c"]', e=""))
    assert 'stage "e" stands below a fork, where "b" and "d" run' in line
    permit = read_workflow(stages(a="", b=branch, c=branch, d='after = ["b", "c"]', e=""))
    assert permit.stage("e").after == ("d",)


def test_circular_stages_are_rejected() -> None:
    (line,) = mistakes(stages(a="", b='after = ["d"]', c="", d=""))
    assert line.startswith("card.toml:16: ")
    assert '"b", which waits for "d", which waits for "c", which waits for "b"' in line
    (line,) = mistakes(stages(a='after = ["a"]', b=""))
    assert 'stage "a" would never open: it waits in a circle, "a", which waits for "a"' in line


def test_file_without_stages_or_with_too_many_is_rejected() -> None:
    assert mistakes(FORK) == [
        "card.toml: the workflow has no stages. Write one to 200, each headed by [[stages]]."
    ]
    (line,) = mistakes(stages(**{f"s{n}": "" for n in range(201)}))
    assert "has 201 stages" in line


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b'key = "a"\nname = "\xff"', "card.toml:2: has letters that are not UTF-8. Save the file"),
        (b'key = "a"\n\n\0', "card.toml:3: has a NUL byte. Save the file as plain UTF-8 text."),
        (b"#" * 300_000, "card.toml: is larger than 256 kB"),
        (b"[" * 100_000, "card.toml"),
        (b"x = " + b"[" * 100_000, "card.toml: has lists within lists"),
        (b"x = " + b"9" * 10_000, "card.toml:1: is not TOML here"),
        (b"a = 1\na = 2", "card.toml:2: is not TOML here: cannot overwrite a value"),
        (b'a = "', "card.toml:1: is not TOML here"),
        (b"\xef\xbb\xbf", 'card.toml: the workflow has no "key"'),
    ],
)
def test_other_files_are_rejected(content: bytes, complaint: str) -> None:
    assert complaint in "\n".join(mistakes(content))


def test_unreadable_file_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(WorkflowFileError, match="cannot be read: no such file") as refused:
        read_workflow_file(tmp_path / "none.toml")
    assert str(tmp_path / "none.toml") in str(refused.value)
    with pytest.raises(WorkflowFileError, match="cannot be read: is a directory"):
        read_workflow_file(tmp_path)


def test_line_numbers_are_right_after_multi_line_values() -> None:
    text = (
        'key = "a"\r\n'
        'name = "A"  # [not a table] """\n'
        "[departments.'tele-sales']\n"
        'name = """\\\n   Tele\\\n   sales"""\n'
        "[[stages]]\n"
        'key = "one"\n'
        'department = "tele-sales"\n'
        'expected = "1h"\n'
        "after = [\n  # none ]\n]\n"
        "[stages.title]\n"
        "en = '''It's\\'''\n"
        'es = ""\n'
        "bogus.x = 1\n"
    )
    assert [line.partition(" ")[0] for line in mistakes(text)] == [
        "card.toml:16:", "card.toml:17:",
    ]  # fmt: skip
