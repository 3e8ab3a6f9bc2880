"""`kept staff photo`: a photo from a file, and none."""

import asyncio
from pathlib import Path

import pytest
import typer
from sqlmodel import select
from typer.testing import CliRunner

from portal.cli import app
from portal.commands import staff
from portal.database import Database
from portal.errors import BadInput, NotFound
from portal.models import StaffPhoto
from portal.settings import Settings
from tests.support.factories import Organisation
from tests.support.sample_images import photo

pytestmark = pytest.mark.either_database


async def give(settings: Settings, email: str, path: Path | None) -> list[str]:
    return await asyncio.to_thread(staff.photo, settings, email, path)


async def test_photo_is_set_from_a_file_and_removed(
    settings: Settings, organisation: Organisation, database: Database, tmp_path: Path
) -> None:
    path = tmp_path / "tess.png"
    path.write_bytes(photo(300, 200, "PNG"))
    (said,) = await give(settings, "Tess@acme.example", path)
    assert said.startswith("Tess Sales has this photo now, of ")
    async with database.reading() as session:
        [stored] = (await session.exec(select(StaffPhoto))).all()
    assert stored.staff_member_id == organisation.people.tess.id
    assert await give(settings, "tess@acme.example", None) == ["Tess Sales has no photo now."]
    async with database.reading() as session:
        assert (await session.exec(select(StaffPhoto))).all() == []


async def test_unknown_person_and_unreadable_file_are_refused(
    settings: Settings, organisation: Organisation, tmp_path: Path
) -> None:
    with pytest.raises(NotFound, match="Nobody at the desk"):
        await give(settings, "nobody@acme.example", None)
    with pytest.raises(BadInput, match="cannot be read"):
        await give(settings, "tess@acme.example", tmp_path / "none.jpg")


@pytest.mark.parametrize("arguments", [[], ["me.jpg", "--remove"]])
def test_command_takes_a_file_or_remove(arguments: list[str]) -> None:
    result = CliRunner().invoke(app, ["staff", "photo", "tess@acme.example", *arguments])
    assert result.exit_code == typer.BadParameter.exit_code
