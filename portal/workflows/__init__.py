"""Workflow files: the kinds of request, written in TOML, read and checked. Pure."""

from portal.workflows.definition import (
    AnswerAction,
    DepartmentDefinition,
    FollowUpDefinition,
    StageDefinition,
    Words,
    WorkflowDefinition,
)
from portal.workflows.lines import Lines
from portal.workflows.mistakes import Mistake, WorkflowFileError
from portal.workflows.reading import (
    read_lines,
    read_workflow,
    read_workflow_file,
    shipped_workflow_files,
)
from portal.workflows.wording import FIELDS, template_mistakes

__all__ = [
    "FIELDS",
    "AnswerAction",
    "DepartmentDefinition",
    "FollowUpDefinition",
    "Lines",
    "Mistake",
    "StageDefinition",
    "Words",
    "WorkflowDefinition",
    "WorkflowFileError",
    "read_lines",
    "read_workflow",
    "read_workflow_file",
    "shipped_workflow_files",
    "template_mistakes",
]
