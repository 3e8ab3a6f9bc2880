"""One simulation: requests are opened, weeks pass, and the messages are audited."""

import asyncio
import gc
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any

from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from portal.business_time import override_now
from portal.database import Database
from portal.demo.sample_data.customers import numbered_customer, shares_phone
from portal.demo.sample_data.scenarios import COUNTRIES, TITLES
from portal.errors import Conflict
from portal.models import Event, RequestStatus, ServiceRequest
from portal.operations import RequestDetails, open_request
from portal.queries.workflows import newest_workflows
from portal.runtime.migrations import migrate
from portal.settings import Settings
from tests.simulation.ball_handling import BallHandling
from tests.simulation.case import Case
from tests.simulation.customer_behaviour import CustomerBehaviour
from tests.simulation.event_loop import Simulation
from tests.simulation.fake_carrier import draw_phone_kind
from tests.simulation.faults import Fault, SeededRandom
from tests.simulation.message_audit import MessageAudit, audit_messages
from tests.simulation.oracle import Oracle
from tests.simulation.organisation import Organisation
from tests.simulation.staff_behaviour import StaffBehaviour
from tests.simulation.threadless_sqlite import made_fast

BEGINS_AT = datetime(2025, 2, 24, 7, tzinfo=UTC)
"""A Monday. Clocks go forward in America on 9 March and in Britain on the 30th."""
ARRIVAL_PERIOD = timedelta(days=12)
"""The period in which requests are opened."""
MAX_LENGTH = timedelta(days=150)
DRAIN_PERIOD = timedelta(days=4)
"""How long the simulation goes on after the last request is done, for what is under way."""
KINDS = (
    ("card-application",) * 3
    + ("device-repair",) * 3
    + ("fibre-installation",) * 2
    + ("building-permit",)
)


@dataclass(frozen=True)
class Scenario:
    """What to simulate; ``sends_updates`` and ``detects_drops`` are false for comparisons only."""

    requests: int
    dice: SeededRandom
    sends_updates: bool = True
    detects_drops: bool = True
    kinds: tuple[str, ...] = KINDS


@dataclass
class Result:
    """What is known at the end."""

    scenario: Scenario
    simulation: Simulation
    oracle: Oracle
    audit: MessageAudit
    cases: list[Case]
    seconds: float


class SimulationRun:
    """Connects the parts of a simulation and runs it."""

    def __init__(self, scenario: Scenario, simulation: Simulation) -> None:
        self.scenario, self.simulation = scenario, simulation
        self.cases: list[Case] = []
        self.by_id: dict[int, Case] = {}
        self.organisation = Organisation(simulation)
        self.staff = StaffBehaviour(self.organisation)
        self.customers = CustomerBehaviour(self.organisation, self.by_id)
        self.ball_handling = BallHandling(self.staff, self.by_id)
        self.oracle = Oracle(self.organisation, self.by_id)
        simulation.on_change.append(self._changed)
        simulation.on_delivery.append(self.customers.read)
        simulation.on_check += [self.oracle.check, self.ball_handling.check]
        self.left = scenario.requests

    async def run(self) -> Result:
        """Run from the first morning until the last request is done."""
        started = monotonic()
        await self.organisation.open()
        for number in range(self.scenario.requests):
            self._plan_request(number)
        until = BEGINS_AT + ARRIVAL_PERIOD + timedelta(days=20)
        self.organisation.schedule_absences(until)
        if Fault.OUTAGE in self.scenario.dice.faults:
            self._plan_outages()
        await self.simulation.run(lambda: self.left == 0, BEGINS_AT + MAX_LENGTH)
        over = self.simulation.now + DRAIN_PERIOD
        await self.simulation.run(lambda: False, over)
        await self.simulation.run_checks()
        audit = await audit_messages(self.simulation)
        return Result(
            self.scenario, self.simulation, self.oracle, audit, self.cases, monotonic() - started
        )

    def _plan_request(self, number: int) -> None:
        dice = self.scenario.dice
        chance = dice.of("life", number)
        kind = self.organisation.workflows[chance.choice(self.scenario.kinds)]
        place = COUNTRIES[kind.key]
        details = numbered_customer(number, place, dice.of("customer", number))
        case = Case(self.simulation, number, kind, details, shares_phone(number, place))
        case.is_delivered = not dice.hit(Fault.REPLIES, 0.08, "not there", number)
        if details.phone:
            self.simulation.carrier.faults.phones[details.phone] = draw_phone_kind(number, dice)
        self.cases.append(case)
        first = kind.departments[kind.roots()[0].department].calendar
        at = first.next_open(BEGINS_AT + ARRIVAL_PERIOD * chance.random())
        at += timedelta(seconds=chance.randint(0, 1800))
        self.simulation.at(at, lambda: self._open(case))

    async def _open(self, case: Case) -> None:
        """A colleague of the first department opens the request."""
        chance = self.scenario.dice.of("title", case.number)
        root = case.kind.roots()[0]
        keys = {
            department.key: number for number, department in self.organisation.departments.items()
        }
        person = self.organisation.choose_available(keys[root.department], "open", case.number)
        if person is None:
            raise Conflict("Nobody is present to open a request.")
        order = RequestDetails(
            case.kind.key, case.customer, title=chance.choice(TITLES[case.kind.key]),
            external_id=f"simulated-{case.number}",
        )  # fmt: skip
        async with self.simulation.operations.begin(person.actor) as uow:
            case.request = await open_request(uow, order)
            self.by_id[case.request.id or 0] = case
        case.last_update_at = self.simulation.now
        self.customers.wait(case)

    def _changed(self, request: ServiceRequest, _: list[Event]) -> None:
        case = self.by_id.get(request.id or 0)
        if case is None:
            return
        case.request = request
        self.staff.plan(case)
        done = request.is_closed or (
            not self.simulation.sends_updates
            and request.status == RequestStatus.AWAITING_CONFIRMATION
            and case.is_delivered
        )
        if done != case.is_over:
            case.is_over = done
            self.left += -1 if done else 1

    def _plan_outages(self) -> None:
        """Plan two outages, on working days, while people work."""
        for number in range(2):
            chance = self.scenario.dice.of("outage", number)
            day = BEGINS_AT + timedelta(days=7 * number + chance.randint(1, 4))
            begin = day.replace(hour=13) + timedelta(minutes=chance.randint(0, 240))
            self.simulation.plan_outage(begin, begin + timedelta(minutes=chance.randint(40, 240)))


async def run_scenario(scenario: Scenario, database_url: str | None = None) -> Result:
    """Run one simulation on a database of its own, removed afterwards unless its URL is given.

    Raises Conflict where the database named is not empty.
    """
    with tempfile.TemporaryDirectory(prefix="kept-simulation-") as folder:
        url = database_url or f"sqlite+aiosqlite:///{Path(folder) / 'kept.db'}"
        settings = _settings(Path(folder), url)
        await asyncio.to_thread(migrate, url)
        async with _database(url) as database:
            await _must_be_empty(database)
            simulation = Simulation(
                settings,
                database,
                scenario.dice,
                BEGINS_AT,
                sends_updates=scenario.sends_updates,
                detects_drops=scenario.detects_drops,
            )
            with override_now(lambda: simulation.now), _rarely_collected():
                return await SimulationRun(scenario, simulation).run()


@contextmanager
def _rarely_collected() -> Iterator[None]:
    """Collect garbage less often: a collection costs more than it frees."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def _settings(folder: Path, url: str) -> Settings:
    """The product's defaults with a carrier and a mail server; nothing of the environment."""
    values: dict[str, Any] = {
        "data_dir": folder,
        "database_url": url,
        "public_url": "http://simulation.example",
        "configured_secret_keys": "a secret that only the simulation knows",
        "brand": "Acme",
        "twilio_account_sid": "AC" + "0" * 32,
        "twilio_auth_tokens": "the token of the simulation",
        "twilio_from_number": "+15005550006",
        "smtp_url": "smtp://127.0.0.1:9",
        "mail_from": "care@acme.example",
        "mail_hook_token": "the hook of the simulation",
    }
    return FixedSettings(
        **{Settings.environment_name(name): value for name, value in values.items()}
    )


class FixedSettings(Settings):
    """Settings without the environment: the simulation is the same everywhere."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only the arguments."""
        del settings_cls, env_settings, dotenv_settings, file_secret_settings
        return (init_settings,)


@asynccontextmanager
async def _database(url: str) -> AsyncIterator[Database]:
    database = Database(url)
    try:
        with made_fast(database) if database.is_sqlite else nullcontext():
            yield database
    finally:
        await database.close()


async def _must_be_empty(database: Database) -> None:
    async with database.reading() as session:
        if await newest_workflows(session):
            raise Conflict("A simulation needs an empty database, and this one is in use.")
