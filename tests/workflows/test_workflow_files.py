"""Workflow files: their values, defaults and the order of stages."""

from pathlib import Path

import pytest

from portal.business_time import Duration
from portal.workflows import (
    AnswerAction,
    LocalizedText,
    WorkflowDefinition,
    read_workflow,
    read_workflow_file,
    shipped_workflow_files,
)
from tests.workflows.files import CARD, changed, mistakes, stages


def shipped(key: str) -> WorkflowDefinition:
    """A workflow that comes with Kept."""
    (path,) = (path for path in shipped_workflow_files() if path.stem == key)
    return read_workflow_file(path)


def test_minimal_file_gets_the_defaults() -> None:
    card = read_workflow(CARD)
    made = card.stage("made")
    assert (card.prefix, made.name, made.after) == ("CARD", "Made", ())
    assert card.stage("courier").after == ("made",)
    assert (made.grace, made.milestone, made.sms) == (Duration(0, "s"), True, None)
    assert (made.update_every, made.pauses_clock, made.question) == (None, False, None)
    processing = card.departments["processing"]
    assert processing.timezone == "America/New_York"
    assert processing.reply_within == Duration(4, "bh")
    assert (processing.lead_after, processing.manager_after) == (
        Duration(4, "bh"), Duration(1, "bd"),
    )  # fmt: skip
    assert processing.calendar.holidays == "US"
    (asked,) = card.follow_ups_after("courier")
    assert (asked.key, asked.asked_when, asked.yes) == (
        "after-courier", "completed", AnswerAction("complete"),
    )  # fmt: skip
    assert asked.no == AnswerAction("send_back", "made")
    assert (asked.remind_after, asked.close_after) == (Duration(2, "d"), Duration(30, "d"))


@pytest.mark.parametrize(
    ("key", "prefix"),
    [("card-application", "CARD"), ("device", "DEVC"), ("lilo", "K"), ("mortgage_x", "MRTG")],
)
def test_default_prefix_has_no_ambiguous_letters(key: str, prefix: str) -> None:
    assert read_workflow(changed('"card"', f'"{key}"')).prefix == prefix


@pytest.mark.parametrize("path", shipped_workflow_files(), ids=lambda path: path.stem)
def test_shipped_file_survives_the_database_unchanged(path: Path) -> None:
    workflow = read_workflow_file(path)
    stored = workflow.to_json()
    assert workflow.key == path.stem
    assert WorkflowDefinition.from_json(stored) == workflow
    assert WorkflowDefinition.from_json(stored).to_json() == stored


def test_four_workflows_are_shipped() -> None:
    assert [path.stem for path in shipped_workflow_files()] == [
        "building-permit", "card-application", "device-repair", "fibre-installation",
    ]  # fmt: skip


@pytest.mark.parametrize("path", shipped_workflow_files(), ids=lambda path: path.stem)
def test_every_shipped_first_text_explains_opt_out(path: Path) -> None:
    (first,) = read_workflow_file(path).roots()
    assert str(first.sms).startswith("{brand}: ")
    assert str(first.sms).endswith("STOP to end")


def test_repair_quote_is_a_question_during_a_pause() -> None:
    quote = shipped("device-repair").stage("quote")
    assert quote.pauses_clock
    assert quote.question
    assert (quote.question.key, quote.question.asked_when) == ("at-quote", "reached")
    assert quote.question.no == AnswerAction("close")
    assert shipped("device-repair").question("at-quote") == quote.question
    with pytest.raises(KeyError):
        shipped("device-repair").question("at-nothing")


def test_permit_reviews_run_in_parallel_and_join_at_the_decision() -> None:
    permit = shipped("building-permit")
    reviews = {"plans-review", "fire-review", "development-review"}
    before = {"intake", "drawings", "completeness"}
    assert [stage.key for stage in permit.roots()] == ["intake"]
    assert {stage.key for stage in permit.opened_by("completeness", before)} == reviews
    assert permit.opened_by("plans-review", before) == []
    done = before | {"plans-review", "fire-review"}
    assert [stage.key for stage in permit.opened_by("development-review", done)] == ["decision"]
    assert permit.ancestors("decision") == before | reviews
    assert permit.ancestors("intake") == set()
    assert permit.descendants("completeness") == reviews | {"decision", "issue"}
    assert permit.descendants("fire-review") == {"decision", "issue"}
    assert permit.descendants("issue") == set()
    assert [{stage.key for stage in leg} for leg in permit.stage_levels()] == [
        {"intake"}, {"drawings"}, {"completeness"}, reviews, {"decision"}, {"issue"},
    ]  # fmt: skip
    with pytest.raises(KeyError):
        permit.stage("nothing")


def test_request_may_start_in_two_departments() -> None:
    permit = read_workflow(stages(a="", b="after = []", c='after = ["b", "a", "b"]'))
    assert [stage.key for stage in permit.roots()] == ["a", "b"]
    assert permit.stage("c").after == ("b", "a")


def test_stage_may_depend_on_a_later_one() -> None:
    permit = read_workflow(stages(a='after = ["b"]', b="after = []"))
    assert [[stage.key for stage in leg] for leg in permit.stage_levels()] == [["b"], ["a"]]


def test_text_falls_back_to_english_then_to_the_first_language() -> None:
    words = LocalizedText({"es": "Hola", "en": "Hello", "pt-BR": "Oi"})
    assert [words.in_language(locale) for locale in ("es", "es-MX", "pt_br", "ar", None)] == [
        "Hola", "Hola", "Oi", "Hello", "Hello",
    ]  # fmt: skip
    assert LocalizedText({"es": "Hola", "ar": "Marhaba"}).in_language("de") == "Hola"
    title = 'title = { en = "On its way", es = "En camino" }'
    card = read_workflow(changed('title = "On its way to you"', title))
    assert card.stage("courier").title.in_language("es") == "En camino"


def test_department_may_set_escalation_times() -> None:
    text = changed('"4bh"\n\n[[st', '"4bh"\nlead_after = "30m"\nmanager_after = "2bd"\n\n[[st')
    processing = read_workflow(text).departments["processing"]
    assert (str(processing.lead_after), str(processing.manager_after)) == ("30m", "2bd")


def test_file_may_refer_to_existing_departments() -> None:
    text = changed('department = "processing"', 'department = "courier-desk"')
    known = read_workflow(text, known_departments=["courier-desk"])
    assert known.stage("made").department == "courier-desk"
    assert len(mistakes(text)) == 1


def test_second_follow_up_of_a_stage_needs_a_key() -> None:
    again = '\n[[follow_ups]]\nafter_stage = "courier"\nquestion = "Sure?"\n'
    (line,) = mistakes(CARD + again)
    assert line.startswith(
        'card.toml:28: the follow-up after "courier" is there twice as "after-cou'
    )
    sure = read_workflow(CARD + again + 'key = "sure"').question("sure")
    assert str(sure.question) == "Sure?"


def test_answer_sends_back_to_earlier_stages_only() -> None:
    early = changed('after_stage = "courier"', 'after_stage = "made"')
    (line,) = mistakes(early.replace('send_back = "made"', 'send_back = "courier"'))
    assert 'sends back to "courier", which does not come before. Known: made.' in line


@pytest.mark.parametrize(
    ("value", "action"),
    [
        ('"complete"', AnswerAction("complete")),
        ('"close"', AnswerAction("close")),
        ('{ close = "declined" }', AnswerAction("close")),
        ("{ close = true }", AnswerAction("close")),
        ('{ open = "courier" }', AnswerAction("open", "courier")),
        ('{ send_back = "courier" }', AnswerAction("send_back", "courier")),
    ],
)
def test_answer_actions_are_read_from_the_file(value: str, action: AnswerAction) -> None:
    (asked,) = read_workflow(changed('{ send_back = "made" }', value)).follow_ups
    assert asked.no == action


def test_zero_duration_is_not_replaced_by_the_default() -> None:
    never = 'close_after = "0s"\nremind_after = "0s"\n'
    (asked,) = read_workflow(CARD + never).follow_ups
    assert (asked.remind_after, asked.close_after) == (Duration(0, "s"), Duration(0, "s"))
