"""Workflow files with random changes: read, or refused with every issue at its line."""

from collections.abc import Sequence

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal.workflows import WorkflowFileError, WorkflowIssue, read_workflow, shipped_workflow_files

FILES = {path.name: path.read_text(encoding="utf-8") for path in shipped_workflow_files()}
INSERTS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        [
            "]",
            "[[stages]]",
            '"""',
            "= 1979-05-27T07:32:00Z",
            "= inf",
            "= {}",
            "= []",
            "\x00",
            "\ufeff",
        ]
    ),
)
LINES = st.sampled_from(
    [
        'key = ""', "expected = 5", 'expected = "99999999999d"', "after = [1]", "department = {}",
        'timezone = "Mars/Olympus"', "[departments]", "[[follow_ups]]", 'yes = "no"', "a.b.c = 1",
    ]
)  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A shipped file with up to four changes: cut, doubled, replaced or inserted."""
    text = FILES[draw(st.sampled_from(sorted(FILES)))]
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(text)))
        end = draw(st.integers(at, min(len(text), at + 60)))
        middle = draw(
            st.one_of(st.just(""), st.just(text[at:end] * 2), INSERTS, LINES.map("\n{}\n".format))
        )
        text = text[:at] + middle + text[end:]
    return text


@settings(max_examples=100, suppress_health_check=list(HealthCheck))
@given(mutated())
def test_changed_file_is_read_or_its_issues_name_their_lines(text: str) -> None:
    lines = text.count("\n") + 1
    for issue in issues_of(text):
        assert issue.line is None or 1 <= issue.line <= lines
        assert issue.message
        assert issue.remedy


def issues_of(text: str) -> Sequence[WorkflowIssue]:
    """The issues of a file; another error than WorkflowFileError fails the test."""
    try:
        read_workflow(text, source="changed.toml")
    except WorkflowFileError as error:
        return error.issues
    return ()
