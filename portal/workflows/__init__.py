"""Workflow files: the kinds of request, written in TOML, read and checked. Pure."""

from portal.workflows.issues import Mistake, WorkflowFileError
from portal.workflows.parser import (
    read_lines,
    read_workflow,
    read_workflow_file,
    shipped_workflow_files,
)
from portal.workflows.placeholders import FIELDS, template_mistakes
from portal.workflows.schema import (
    AnswerAction,
    DepartmentDefinition,
    FollowUpDefinition,
    StageDefinition,
    Words,
    WorkflowDefinition,
)
from portal.workflows.toml_lines import Lines

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
