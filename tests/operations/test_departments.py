"""Operators change a department: hours, holidays, times to accept and to escalate."""

from dataclasses import replace

import pytest
from sqlmodel import col, select

from portal.commands.departments import change, list_departments
from portal.commands.workflows import load_workflows
from portal.errors import BadInput, NotFound
from portal.models import SYSTEM_ACTOR, Department
from portal.operations.departments import DepartmentChange, change_department
from portal.settings import Settings
from portal.workflows import read_workflow, shipped_workflow_files
from tests.support.factories import Organisation

pytestmark = pytest.mark.either_database

ALL = DepartmentChange(
    name="Card  Works",
    hours="Mon-Fri 08:00-12:00, 12:30-18:00",
    timezone="America/Chicago",
    holidays="US-IL",
    accept_within="2bh",
    reply_within="1bh",
    lead_after="90m",
    manager_after="2bd",
)


async def processing(organisation: Organisation) -> Department:
    async with organisation.database.reading() as session:
        query = select(Department).where(col(Department.key) == "processing")
        return (await session.exec(query)).one()


async def change_processing(
    organisation: Organisation, change: DepartmentChange, key: str = "processing"
):
    async with organisation.operations.begin(SYSTEM_ACTOR) as uow:
        await change_department(uow, key, change)
    return await processing(organisation)


async def test_department_is_updated_wholly_or_partly(organisation: Organisation) -> None:
    await change_processing(organisation, ALL)
    now = await change_processing(organisation, DepartmentChange(reply_within="3bh"))
    assert (now.name, now.hours, now.timezone, now.holidays) == (
        "Card Works", "Mon-Fri 08:00-12:00, 12:30-18:00", "America/Chicago", "US-IL",
    )  # fmt: skip
    assert (now.accept_within, now.reply_within, now.lead_after, now.manager_after) == (
        "2bh", "3bh", "90m", "2bd",
    )  # fmt: skip
    bare = DepartmentChange(hours="always", holidays="none", accept_within="none")
    now = await change_processing(organisation, bare)
    assert (now.hours, now.holidays, now.accept_within) == ("", "", None)


@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [
        ("name", " ", "--name: a name has 1 to 120 letters"),
        ("hours", "Mon-Fry 09:00-17:00", "--hours: .*is not a day"),
        ("hours", "", "--hours: .*names no hours"),
        ("timezone", "Chicago", '--timezone: "Chicago" is not a time zone'),
        ("timezone", "localtime", '--timezone: "localtime" is not a time zone'),
        ("holidays", "USA", '--holidays: "USA" is no country'),
        ("accept_within", "4 hours", '--accept-within: "4 hours" is not a duration'),
        ("lead_after", "soon", '--lead-after: "soon" is not a duration'),
        ("manager_after", "none", '--manager-after: "none" is not a duration'),
    ],
)
async def test_invalid_department_value_is_rejected_and_changes_nothing(
    organisation: Organisation, option: str, value: str, sentence: str
) -> None:
    before = await processing(organisation)
    with pytest.raises(BadInput, match=sentence):
        await change_processing(organisation, replace(ALL, **{option: value}))
    after = await processing(organisation)
    assert after.model_dump() == before.model_dump()


async def test_unknown_department_is_rejected(organisation: Organisation) -> None:
    with pytest.raises(NotFound, match=r"no department 'cellar'\. There is bench, co"):
        await change_processing(organisation, ALL, key="cellar")


async def test_workflow_file_sets_escalation_times(organisation: Organisation) -> None:
    text = next(path for path in shipped_workflow_files() if path.stem == "card-application")
    written = text.read_text().replace(
        "[departments.processing]",
        '[departments.vault]\nlead_after = "2bh"\n[departments.processing]',
    )
    await organisation.load(written)
    async with organisation.database.reading() as session:
        vault = (await session.exec(select(Department).where(col(Department.key) == "vault"))).one()
    assert (vault.lead_after, vault.manager_after) == ("2bh", "1bd")
    assert read_workflow(written).departments["vault"].name == "Vault"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_commands_print_the_department_after_each_change(settings: Settings) -> None:
    assert list_departments(settings) == [
        "None yet: `kept workflow load` makes those that a workflow names."
    ]
    load_workflows(settings, ["device-repair"])
    key = list_departments(settings)[0].partition(":")[0]
    told = change(settings, key, replace(ALL, name="Bench"))
    assert told == [
        f"{key}: Bench",
        "    open Mon-Fri 08:00-12:00, 12:30-18:00 (America/Chicago), closed on holidays of US-IL",
        "    takes up within 2bh, replies within 1bh",
        "    tells its lead after 90m, a manager after 2bd",
    ]
    assert list_departments(settings)[:4] == told
    with pytest.raises(BadInput, match="Say what to change, such as --hours"):
        change(settings, "processing", DepartmentChange())
