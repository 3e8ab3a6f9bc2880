"""The keys of a stage that say whose turn it is, and what its customer reads."""

import pytest

from portal.workflows import read_workflow
from tests.workflows.files import mistakes, stages


@pytest.mark.parametrize(
    ("keys", "complaint"),
    [
        ('ask = "pay"', 'has an "ask" that is nothing known. Write what the customer does'),
        ('waits_for = "the bank"\nask = "files"', "but waits for somebody else"),
        ('waits_for = "the bank"\nquestion = "Yes?"', "but waits for somebody else"),
        ("waits_for = 3", 'has 3 as "waits_for", which customers read'),
        ('title_done = "{next}"', 'has a field in braces in its "title_done"'),
        ('bring = ""', 'has an empty "bring"'),
    ],
)
def test_keys_about_the_customers_turn_are_checked(keys: str, complaint: str) -> None:
    text = stages(courier=keys)
    assert any(complaint in str(issue) for issue in mistakes(text))


@pytest.mark.parametrize(
    ("keys", "is_paused", "is_customers"),
    [
        ("", False, False),
        ("pauses_clock = true", True, False),
        ('ask = "files"', True, True),
        ('waits_for = "customer"', True, True),
        ('waits_for = "the bank"', True, False),
        ('waits_for = "the bank"\npauses_clock = false', False, False),
        ('question = "Yes?"', False, True),
        ('question = "Yes?"\nask = "decide"', False, True),
    ],
)
def test_stage_says_whose_turn_it_is(keys: str, *, is_paused: bool, is_customers: bool) -> None:
    text = stages(courier=keys)
    stage = read_workflow(text).stage("courier")
    assert (stage.pauses_clock, stage.is_customers_turn) == (is_paused, is_customers)
