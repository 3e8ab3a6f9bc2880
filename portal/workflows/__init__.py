"""Workflow files: the kinds of request, written in TOML, read and checked. Pure."""

from portal.workflows.definition import (
    AnswerAction,
    DepartmentDefinition,
    FollowUpDefinition,
    StageDefinition,
    Words,
    WorkflowDefinition,
)
from portal.workflows.mistakes import Mistake, WorkflowFileError
from portal.workflows.reading import read_workflow, read_workflow_file, shipped_workflow_files
from portal.workflows.wording import FIELDS

__all__ = [
    "FIELDS",
    "AnswerAction",
    "DepartmentDefinition",
    "FollowUpDefinition",
    "Mistake",
    "StageDefinition",
    "Words",
    "WorkflowDefinition",
    "WorkflowFileError",
    "read_workflow",
    "read_workflow_file",
    "shipped_workflow_files",
]
