"""`kept person`: what is exported, erased and kept, through the command itself."""

import asyncio
import json
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest
import time_machine
from starlette.applications import Starlette
from typer.testing import CliRunner, Result

from portal.cli import app as kept_app
from portal.cli import person as person_commands
from portal.commands.runner import run_operation
from portal.errors import PortalError
from portal.models import SYSTEM_ACTOR, ServiceRequest
from portal.operations import Operations, cancel
from portal.operations.privacy.person_requests import record_person_request
from portal.settings import Settings
from tests.support.factories import MARTHA, MARTIN, Organisation
from tests.support.person_history import MARKER, PERSON, PHONE, live_through
from tests.support.sample_images import photo
from tests.support.twilio_client import CustomerPhone

Command = Callable[..., Result]


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """With a folder for files."""
    return settings.model_copy(update={"files_dir": tmp_path / "data" / "files"})


@pytest.fixture
def kept(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run `kept person ...` with the settings of the test; gives exit code and output.

    In a thread: a command has an event loop of its own.
    """
    monkeypatch.setattr(person_commands, "load", lambda _: settings)

    def run(*arguments: str, answer: str = "") -> Result:
        return CliRunner().invoke(kept_app, ["person", *arguments], input=answer)

    return run


async def run_apart(kept: Command, *arguments: str, answer: str = "") -> Result:
    return await asyncio.to_thread(kept, *arguments, answer=answer)


async def test_export_has_everything_of_the_person_and_nothing_of_others(
    app: Starlette, api: httpx2.AsyncClient, organisation: Organisation, kept: Command,
    tmp_path: Path,
) -> None:  # fmt: skip
    mona = organisation.people.mona.actor
    await organisation.open("repair", MARTHA, by=mona, title="Martha's phone")
    request = await live_through(app, api, organisation)
    done = await run_apart(kept, "export", PHONE, "--to", str(tmp_path / "copy"))
    assert done.exit_code == 0, done.output
    text = (tmp_path / "copy" / "person.json").read_text()
    copy = json.loads(text)
    assert [one["name"] for one in copy["person"]] == [PERSON["name"]]
    assert {one["address"] for one in copy["contact_points"]} == {PHONE, PERSON["email"]}
    assert [one["granted"] for one in copy["consents"] if one["channel"] == "sms"] == [True, False]
    mine = copy["requests"][0]
    assert mine["reference"] == request.reference
    assert mine["fields"] == {"maiden name": MARKER}
    assert [one["state"] for one in mine["stages"]]
    assert {one["text"] for one in mine["promises"]} >= {f"We call {MARKER}"}
    assert {"opened", "promise_made", "contact_logged"} <= {one["kind"] for one in mine["events"]}
    assert {one["answer"] for one in copy["requests"][1]["questions"]} == {"no"}
    assert {one["direction"] for one in copy["messages"]} == {"in", "out"}
    assert all(one["created_at"].endswith("+00:00") for one in copy["messages"])
    [file] = copy["files"]
    assert (tmp_path / "copy" / file["file"]).read_bytes()
    assert (tmp_path / "copy" / file["file"]).stat().st_mode & 0o777 == 0o600
    for secret in ("Martha", "acme.example", "password", request.links[0].token):
        assert secret not in text


async def test_export_has_the_window_of_a_promised_call(
    clock: time_machine.Traveller, organisation: Organisation, texts: CustomerPhone,
    kept: Command, tmp_path: Path,
) -> None:  # fmt: skip
    await organisation.open(by=organisation.people.mona.actor)
    await texts("Call me on Thursday between 2 and 4")
    done = await run_apart(kept, "export", str(MARTIN.phone), "--to", str(tmp_path / "copy"))
    assert done.exit_code == 0, done.output
    copy = json.loads((tmp_path / "copy" / "person.json").read_text())
    [promise] = copy["requests"][0]["promises"]
    assert promise["call_from"] == "2025-06-05T18:00:00+00:00"
    assert promise["due_at"] == "2025-06-05T20:00:00+00:00"
    assert promise["call_window"] == "between"


async def test_export_to_zip_replaces_nothing(
    card_request: ServiceRequest, kept: Command, tmp_path: Path
) -> None:
    target = tmp_path / "martin.zip"
    done = await run_apart(kept, "export", "Martin@Example.com", "--to", str(target))
    assert done.exit_code == 0, done.output
    with zipfile.ZipFile(target) as archive:
        assert json.loads(archive.read("person.json"))["requests"]
    again = await run_apart(kept, "export", "martin@example.com", "--to", str(target))
    assert "exists already" in str(again.exception)


@pytest.mark.parametrize("address", ["nobody@example.com", "+1 415 555 0000", "12", "a@b"])
async def test_unknown_or_impossible_address_is_one_sentence(
    card_request: ServiceRequest, kept: Command, address: str, tmp_path: Path
) -> None:
    done = await run_apart(kept, "export", address, "--to", str(tmp_path / "copy"))
    assert done.exit_code == 1
    assert str(done.exception).endswith(".")
    assert not (tmp_path / "copy").exists()


async def test_dry_run_of_an_erasure_changes_nothing(
    card_request: ServiceRequest, kept: Command, organisation: Organisation
) -> None:
    done = await run_apart(kept, "erase", MARTIN.phone or "", "--dry-run")
    assert done.output == "To erase: 1 customer, 1 request, 1 message, 0 files.\n"
    assert (await organisation.reload(card_request)).customer.name == "Martin Miller"


async def test_erasure_asks_first(
    card_request: ServiceRequest, kept: Command, organisation: Organisation
) -> None:
    phone = MARTIN.phone or ""
    done = await run_apart(kept, "erase", phone, "--cancel-open", answer="n\n")
    assert done.exit_code == 1
    assert (await organisation.reload(card_request)).erased_at is None
    done = await run_apart(kept, "erase", phone, "--cancel-open", answer="y\n")
    assert done.exit_code == 0, done.output
    assert "Erased: 1 customer, 1 request" in done.output
    assert (await organisation.reload(card_request)).erased_at


async def test_erasure_names_open_requests(
    card_request: ServiceRequest, kept: Command, organisation: Organisation
) -> None:
    done = await run_apart(kept, "erase", MARTIN.phone or "", "--yes")
    assert card_request.reference in str(done.exception)
    assert (await organisation.reload(card_request)).closed_at is None


async def test_replay_needs_a_readable_list_and_names_what_it_found(
    card_request: ServiceRequest, kept: Command, settings: Settings, tmp_path: Path
) -> None:
    missing = await run_apart(kept, "erase", "--replay", str(tmp_path / "nothing.txt"))
    assert "cannot be read" in str(missing.exception)
    await run_apart(kept, "erase", MARTIN.phone or "", "--yes", "--cancel-open")
    listed = settings.data_dir / "erasures.txt"
    done = await run_apart(kept, "erase", "--replay", str(listed))
    assert done.output == f"Of 1 entry in {listed}, 0 were here.\n"


async def test_dry_run_of_retention_names_the_requests(
    clock, organisation: Organisation, kept: Command, settings: Settings, monkeypatch
) -> None:
    mona = organisation.people.mona.actor
    request = await organisation.open(by=mona)
    await organisation.run(cancel, request, reason="No more", by=mona)
    clock.shift(timedelta(days=31))
    told = {"keep_closed_requests_days": 30}
    monkeypatch.setattr(person_commands, "load", lambda _: settings.model_copy(update=told))
    done = await run_apart(kept, "retention", "--dry-run")
    assert f"To erase: 1 closed request: {request.reference}." in done.output
    assert (await organisation.reload(request)).erased_at is None
    await run_apart(kept, "retention")
    assert (await organisation.reload(request)).erased_at


async def test_retention_is_off_by_default(
    clock, organisation: Organisation, kept: Command
) -> None:
    mona = organisation.people.mona.actor
    request = await organisation.open(by=mona)
    await organisation.run(cancel, request, reason="No more", by=mona)
    clock.shift(timedelta(days=9_000))
    done = await run_apart(kept, "retention")
    assert done.output == "Nothing is kept longer than the settings say.\n"
    assert (await organisation.reload(request)).erased_at is None


async def test_error_of_a_file_is_not_called_one_of_the_database(
    settings: Settings, tmp_path: Path
) -> None:
    async def read(_operations: Operations) -> None:
        (tmp_path / "gone").read_bytes()

    with pytest.raises(PortalError) as refusal:
        await asyncio.to_thread(run_operation, settings, read)
    assert refusal.value.detail.startswith(f"{tmp_path / 'gone'} cannot be read or written")


async def test_export_completes_the_persons_request_for_a_copy(
    card_request: ServiceRequest, kept: Command, operations: Operations, tmp_path: Path
) -> None:
    """Else the erasure that follows would ask for the copy once more."""
    phone = MARTIN.phone or ""
    async with operations.begin(SYSTEM_ACTOR) as uow:
        await record_person_request(uow, "export", MARTIN.email or "")
    refused = await run_apart(kept, "erase", phone, "--yes", "--cancel-open")
    assert "has not been given it" in str(refused.exception)
    done = await run_apart(kept, "export", phone, "--to", str(tmp_path / "martin.zip"))
    assert done.exit_code == 0, done.output
    done = await run_apart(kept, "erase", phone, "--yes", "--cancel-open")
    assert done.exit_code == 0, done.exception


@pytest.mark.parametrize("name", ["copy.zip", "copy", "empty"])
async def test_export_that_fails_leaves_nothing_and_succeeds_again(
    card_request: ServiceRequest, client: httpx2.AsyncClient, kept: Command, settings: Settings,
    tmp_path: Path, name: str,
) -> None:  # fmt: skip
    sent = await client.post(
        f"/r/{card_request.links[0].token}/messages",
        files=[("file", ("a.jpg", photo(20, 20), "image/jpeg"))],
    )
    assert sent.status_code == 303
    [stored] = [path for path in settings.files_dir.rglob("*") if len(path.name) == 64]
    folder = tmp_path / "exports"
    (folder / "empty").mkdir(parents=True)
    aside = stored.rename(tmp_path / "aside")
    stored.symlink_to("/proc/self/mem")  # a file that cannot be read
    before = sorted(folder.rglob("*"))
    failed = await run_apart(kept, "export", MARTIN.phone or "", "--to", str(folder / name))
    assert "cannot be written" in str(failed.exception)
    assert sorted(folder.rglob("*")) == before
    stored.unlink()
    aside.rename(stored)
    done = await run_apart(kept, "export", MARTIN.phone or "", "--to", str(folder / name))
    assert done.exit_code == 0, done.exception
    assert not list(folder.rglob(".*"))
    if name != "copy.zip":
        files = [path for path in (folder / name).rglob("*") if path.is_file()]
        assert len(files) == 2
        assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
        assert (folder / name).stat().st_mode & 0o777 == 0o700
