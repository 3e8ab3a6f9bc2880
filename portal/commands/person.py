"""`kept person`: export, erasure and retention."""

from collections.abc import Sequence
from pathlib import Path

from portal import business_time
from portal.commands.runner import COMMAND_LINE_ACTOR, run_operation
from portal.operations import Operations
from portal.operations.privacy.erase import (
    Erasure,
    erase_person,
    preview_erasure,
)
from portal.operations.privacy.erasure_list import ErasureList
from portal.operations.privacy.export import export_person
from portal.operations.privacy.replay import replay_erasures
from portal.operations.privacy.retention import Retention, RetentionReport
from portal.settings import Settings


def export(settings: Settings, address: str, names: Sequence[str], target: Path) -> list[str]:
    """Write the copy; the person's requests for one are then done.

    Raises PortalError, also where the target exists or cannot be written.
    """

    async def read(operations: Operations) -> list[str]:
        copy = await export_person(
            operations, COMMAND_LINE_ACTOR, address, names, lambda copy: copy.write(target)
        )
        counts = [
            _count(len(copy.document["requests"]), "request"),
            _count(len(copy.document["messages"]), "message"),
            _count(len(copy.files), "file"),
        ]
        return [f"{target}: {', '.join(counts)}."]

    return run_operation(settings, read)


def preview(settings: Settings, address: str, names: Sequence[str]) -> list[str]:
    """A line that says what an erasure covers."""

    async def read(operations: Operations) -> list[str]:
        erasure = await preview_erasure(operations, COMMAND_LINE_ACTOR, address, names)
        return [f"To erase: {_describe(erasure)}."]

    return run_operation(settings, read)


def erase(
    settings: Settings, address: str, names: Sequence[str], *, cancel_open: bool
) -> list[str]:
    """Erase the person. Raises Conflict while requests are open, unless ``cancel_open``."""

    async def act(operations: Operations) -> list[str]:
        erasure = await erase_person(
            operations, COMMAND_LINE_ACTOR, address, names, cancel_open=cancel_open
        )
        left = _count(erasure.files_left, "file")
        return [
            f"Erased: {_describe(erasure)}.",
            *(
                [f"Not removed, see the log: {left}. A worker tries again each day."]
                if erasure.files_left
                else []
            ),
            f"Listed in {ErasureList.of(settings).path}, for older backups: docs/privacy.md.",
        ]

    return run_operation(settings, act)


def replay(settings: Settings, path: Path) -> tuple[list[str], bool]:
    """Erase again everybody whom the list names; also whether all of them are."""
    entries = ErasureList(path).read()

    async def act(operations: Operations) -> tuple[list[str], bool]:
        done = await replay_erasures(operations, COMMAND_LINE_ACTOR, entries)
        here = len(done.erasures) + len(done.failures)
        lines = [
            *(f"Erased again: {_describe(erasure)}." for erasure in done.erasures),
            *(f"Not erased: {failure}" for failure in done.failures),
            f"Of {_count(len(entries), 'entry', 'entries')} in {path}, {here} were here.",
        ]
        return lines, not done.failures

    return run_operation(settings, act)


def retention(settings: Settings, *, is_dry: bool) -> list[str]:
    """Erase what the settings no longer keep, or say what that would be."""

    async def act(operations: Operations) -> list[str]:
        run = Retention(operations, business_time.now(), is_dry=is_dry)
        return _report(await run.run(), "To erase" if is_dry else "Erased")

    return run_operation(settings, act)


def _report(report: RetentionReport, verb: str) -> list[str]:
    lines = []
    if report.requests:
        count = _count(len(report.requests), "closed request")
        lines.append(f"{verb}: {count}: {', '.join(report.requests)}.")
    for number, noun in (
        (report.messages, "message text"),
        (report.balls, "dropped ball about an unknown number"),
        (report.files, "file"),
        (report.orphans, "stored file without a message"),
        (report.sign_ins, "sign-in record"),
    ):
        if number:
            first = next((word for word in ("file", "ball") if word in noun), noun)
            plural = noun.replace(first, f"{first}s")
            lines.append(f"{verb}: {_count(number, noun, plural)}.")
    if report.failures:
        lines.append(f"Not erased, see the log: {_count(report.failures, 'item')}.")
    return lines or ["Nothing is kept longer than the settings say."]


def _describe(erasure: Erasure) -> str:
    return ", ".join(
        [
            _count(erasure.customers, "customer"),
            _count(erasure.requests, "request"),
            _count(erasure.messages, "message"),
            _count(erasure.files, "file"),
        ]
    )


def _count(number: int, noun: str, plural: str = "") -> str:
    return f"{number} {noun if number == 1 else plural or f'{noun}s'}"
