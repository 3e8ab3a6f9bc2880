"""`kept workflow`: files are validated as a whole, and loaded all together or not at all."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlmodel import select

from portal.commands.runner import COMMAND_LINE_ACTOR, run_operation
from portal.errors import PortalError
from portal.messaging.wording.lint import TextLinter
from portal.models import Department
from portal.operations import Operations, load_workflow
from portal.queries.workflows import newest_workflows
from portal.settings import Settings
from portal.workflows import (
    WorkflowDefinition,
    WorkflowFileError,
    read_toml_lines,
    read_workflow_file,
    shipped_workflow_files,
)


def check_workflows(
    settings: Settings, names: Iterable[str], *, is_strict: bool = False
) -> list[str]:
    """Validate the files; a line for each valid one, and each warning about texts.

    Raises PortalError with every issue; with ``is_strict`` a warning is one.
    """
    known_departments = (
        run_operation(settings, _known_departments) if _has_database(settings) else set[str]()
    )
    definitions = read_workflow_files(names, known_departments)
    valid = [
        f"{name}: good. {definition.name!r}, {_count(len(definition.stages), 'stage')}."
        for name, definition in definitions.items()
    ]
    return proofread(settings, definitions, is_strict=is_strict) + valid


def load_workflows(
    settings: Settings, names: Iterable[str], *, is_strict: bool = False
) -> list[str]:
    """Load the files, all or none; a changed one becomes a new version.

    Warnings about texts are returned; with ``is_strict`` they are issues, and nothing is loaded.
    """

    async def load(operations: Operations) -> list[str]:
        definitions = read_workflow_files(names, await _known_departments(operations))
        warnings = proofread(settings, definitions, is_strict=is_strict)
        async with operations.begin(COMMAND_LINE_ACTOR) as uow:
            loaded = [await load_workflow(uow, definition) for definition in definitions.values()]
            return [
                *warnings,
                *(f"{workflow.key}: version {workflow.version} is in use." for workflow in loaded),
            ]

    return run_operation(settings, load)


def list_workflows(settings: Settings) -> list[str]:
    """Each workflow with its version and stages; then those that come with Kept."""

    async def read(operations: Operations) -> list[str]:
        async with operations.database.reading() as session:
            workflows = await newest_workflows(session)
        lines = []
        for workflow in workflows:
            lines.append(f"{workflow.key}, version {workflow.version}: {workflow.name}")
            lines += [
                f"    {stage.key} ({stage.department}): {stage.name}"
                for stage in workflow.definition.stages
            ]
        in_use = {workflow.key for workflow in workflows}
        ready = [path.stem for path in shipped_workflow_files() if path.stem not in in_use]
        if ready:
            lines.append(f"Ready to be loaded with `kept workflow load`: {', '.join(ready)}.")
        return lines

    return run_operation(settings, read)


def read_workflow_files(
    names: Iterable[str], known_departments: set[str]
) -> dict[str, WorkflowDefinition]:
    """The named files, by name; a file may refer to departments of another one.

    A name may also be that of a workflow that comes with Kept. Raises PortalError with every
    issue of every file, a line for each.
    """
    unread = {name: _path_of(name) for name in names}
    definitions: dict[str, WorkflowDefinition] = {}
    known_departments = set(known_departments)
    while unread:
        issues: list[str] = []
        for name, path in list(unread.items()):
            try:
                definitions[name] = read_workflow_file(path, known_departments=known_departments)
            except WorkflowFileError as error:
                issues += error.lines()
            else:
                del unread[name]
        new_departments = {
            key for definition in definitions.values() for key in definition.departments
        } - known_departments
        if issues and not new_departments:
            summary = _count(len(issues), "mistake")
            raise PortalError("\n".join([f"{summary} to put right; nothing was loaded.", *issues]))
        known_departments |= new_departments
    return definitions


def proofread(
    settings: Settings, definitions: Mapping[str, WorkflowDefinition], *, is_strict: bool
) -> list[str]:
    """A line for each text that costs more than needed, those of Kept last.

    Raises PortalError with them if ``is_strict``.
    """
    linter = TextLinter(settings.brand, settings.public_url)
    warnings = [
        (name, warning)
        for name, definition in definitions.items()
        for warning in linter.read_workflow(definition, read_toml_lines(_path_of(name)))
    ] + [(f"templates/sms/{file}", warning) for file, warning in linter.lint_product_texts()]
    if warnings and is_strict:
        lines = [f"{name}:{warning.line or 1}: {warning}" for name, warning in warnings]
        raise PortalError("\n".join([f"{_count(len(warnings), 'warning')} to put right.", *lines]))
    return [f"{name}:{warning.line or 1}: warning: {warning}" for name, warning in warnings]


def _path_of(name: str) -> Path:
    shipped = {path.stem: path for path in shipped_workflow_files()}
    return shipped[name] if name in shipped and not Path(name).exists() else Path(name)


async def _known_departments(operations: Operations) -> set[str]:
    async with operations.database.reading() as session:
        return set((await session.exec(select(Department.key))).all())


def _has_database(settings: Settings) -> bool:
    """False if the SQLite file does not exist: checking a workflow creates no database."""
    if not settings.is_single_machine:
        return True
    path = make_url(settings.database_url).database
    return path is not None and Path(path).exists()


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' if number != 1 else ''}"
