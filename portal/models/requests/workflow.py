"""A workflow and its stages, as loaded from a file; a version never changes."""

from datetime import datetime
from functools import lru_cache

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from portal.models.columns import foreign_key_column, primary_key, text_column, timestamp_column
from portal.workflows import WorkflowDefinition


@lru_cache(maxsize=256)
def _definition(document: str) -> WorkflowDefinition:
    return WorkflowDefinition.from_json(document)


class Workflow(SQLModel, table=True):
    """One version of a workflow. A changed file adds a version; running requests keep theirs."""

    __tablename__ = "workflow"
    __table_args__ = (sa.UniqueConstraint("key", "version"),)

    id: int | None = primary_key()
    key: str = Field(max_length=64)
    version: int = 1
    name: str = text_column(120)
    document: str = text_column()
    loaded_at: datetime = timestamp_column()

    @property
    def definition(self) -> WorkflowDefinition:
        """The definition in the loaded file. Cached: a version is immutable."""
        return _definition(self.document)


class Stage(SQLModel, table=True):
    """A stage of one workflow version, to which joins, boards and counts refer by id."""

    __tablename__ = "stage"
    __table_args__ = (sa.UniqueConstraint("workflow_id", "key"),)

    id: int | None = primary_key()
    workflow_id: int = foreign_key_column("workflow.id")
    key: str = Field(max_length=64)
    position: int = 0
    department_id: int = foreign_key_column("department.id")
    name: str = text_column(120)
