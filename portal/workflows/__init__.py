"""Workflow files: the kinds of request, written in TOML, read and checked. Pure."""

from portal.workflows.issues import WorkflowFileError, WorkflowIssue
from portal.workflows.localized_text import LocalizedText
from portal.workflows.parser import (
    read_toml_lines,
    read_workflow,
    read_workflow_file,
    shipped_workflow_files,
)
from portal.workflows.placeholders import PLACEHOLDERS, QUESTION_FIELDS, placeholder_issues
from portal.workflows.question_definition import AnswerAction, FollowUpDefinition, VisitDefinition
from portal.workflows.schema import DepartmentDefinition, WorkflowDefinition
from portal.workflows.stage_definition import CustomerAction, NeedDefinition, StageDefinition
from portal.workflows.toml_lines import TomlLines

__all__ = [
    "PLACEHOLDERS",
    "QUESTION_FIELDS",
    "AnswerAction",
    "CustomerAction",
    "DepartmentDefinition",
    "FollowUpDefinition",
    "LocalizedText",
    "NeedDefinition",
    "StageDefinition",
    "TomlLines",
    "VisitDefinition",
    "WorkflowDefinition",
    "WorkflowFileError",
    "WorkflowIssue",
    "placeholder_issues",
    "read_toml_lines",
    "read_workflow",
    "read_workflow_file",
    "shipped_workflow_files",
]
