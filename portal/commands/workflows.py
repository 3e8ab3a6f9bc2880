"""`kept workflow`: files are validated as a whole, and loaded all together or not at all."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from sqlmodel import select

from portal.commands.runner import COMMAND_LINE_ACTOR, command, run_operation
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
    known = run_operation(settings, _known_departments) if settings.has_database else set[str]()
    definitions = read_workflow_files(names, known)
    good = [
        f"{name}: good. {definition.name!r}, {_count(len(definition.stages), 'stage')}."
        for name, definition in definitions.items()
    ]
    return proofread(settings, definitions, is_strict=is_strict) + good


@command
async def load_workflows(
    operations: Operations, names: Iterable[str], *, is_strict: bool = False
) -> list[str]:
    """Load the files, all or none; a changed one becomes a new version.

    Warnings about texts are returned; with ``is_strict`` they are issues, and nothing is loaded.
    """
    definitions = read_workflow_files(names, await _known_departments(operations))
    warnings = proofread(operations.settings, definitions, is_strict=is_strict)
    async with operations.begin(COMMAND_LINE_ACTOR) as uow:
        loaded = [await load_workflow(uow, definition) for definition in definitions.values()]
        return [*warnings, *(f"{item.key}: version {item.version} is in use." for item in loaded)]


@command
async def list_workflows(operations: Operations) -> list[str]:
    """Each workflow with its version and stages; then those that come with Kept."""
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


def read_workflow_files(names: Iterable[str], known: set[str]) -> dict[str, WorkflowDefinition]:
    """The named files, by name; a file may refer to departments of another one.

    A name may also be that of a workflow that comes with Kept. Raises PortalError with every
    issue of every file, a line for each.
    """
    waiting = {name: _path_of(name) for name in names}
    read: dict[str, WorkflowDefinition] = {}
    known = set(known)
    while waiting:
        mistakes: list[str] = []
        for name, path in list(waiting.items()):
            try:
                read[name] = read_workflow_file(path, known_departments=known)
            except WorkflowFileError as error:
                mistakes += error.lines()
            else:
                del waiting[name]
        found = {key for item in read.values() for key in item.departments} - known
        if mistakes and not found:
            many = _count(len(mistakes), "mistake")
            raise PortalError("\n".join([f"{many} to put right; nothing was loaded.", *mistakes]))
        known |= found
    return read


def proofread(
    settings: Settings, definitions: Mapping[str, WorkflowDefinition], *, is_strict: bool
) -> list[str]:
    """A line for each text that costs more than needed, and one for those of Kept itself.

    Raises PortalError with those of the files if ``is_strict``: nobody else's can be changed.
    """
    reader = TextLinter(settings.brand, settings.public_url)
    found = [
        (name, warning)
        for name, definition in definitions.items()
        for warning in reader.read_workflow(definition, read_toml_lines(_path_of(name)))
    ]
    product = reader.lint_product_texts()
    if found and is_strict:
        lines = [f"{name}:{warning.line or 1}: {warning}" for name, warning in found]
        raise PortalError("\n".join([f"{_count(len(found), 'warning')} to put right.", *lines]))
    lines = [f"{name}:{warning.line or 1}: warning: {warning}" for name, warning in found]
    if product:
        lines.append(
            f"warning: {_count(len(product), 'text')} of Kept itself may cost more segments than "
            "usual with your KEPT_BRAND and KEPT_PUBLIC_URL; shorter ones cost less."
        )
    return lines


def _path_of(name: str) -> Path:
    shipped = {path.stem: path for path in shipped_workflow_files()}
    return shipped[name] if name in shipped and not Path(name).exists() else Path(name)


async def _known_departments(operations: Operations) -> set[str]:
    async with operations.database.reading() as session:
        return set((await session.exec(select(Department.key))).all())


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'s' if number != 1 else ''}"
