"""What a stage needs from the customer, as a workflow file writes it."""

import pytest

from portal.workflows import WorkflowFileError, read_workflow
from tests.support.workflows import DRAWINGS, ITEM


@pytest.mark.parametrize(
    ("items", "problem"),
    [
        ('needs = "plans"', 'has "needs" that are no list of items'),
        ('[[stages.needs]]\nkey = "plans"', 'has no "title"'),
        (ITEM + ITEM, 'has the key "plans" a second time'),
        (ITEM + 'colour = "red"', 'has "colour", which means nothing here'),
    ],
)
def test_mistake_in_needs_has_a_line_and_a_remedy(items: str, problem: str) -> None:
    with pytest.raises(WorkflowFileError) as refused:
        read_workflow(DRAWINGS.format(items=items))
    assert any(problem in issue.message for issue in refused.value.issues)
    assert all(issue.line and issue.remedy for issue in refused.value.issues)
