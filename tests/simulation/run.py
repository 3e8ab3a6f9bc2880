"""A play: the office opens, customers come, weeks pass, and an account is drawn."""

import asyncio
import gc
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any

from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from portal.business_time import override_now
from portal.database import Database
from portal.demo.sample_data.scenarios import COUNTRIES, TITLES
from portal.errors import Conflict
from portal.models import Event, RequestStatus, ServiceRequest
from portal.operations import RequestDetails, open_request
from portal.queries.workflows import newest_workflows
from portal.runtime.migrations import migrate
from portal.settings import Settings
from tests.simulation.ball_handling import BallHandling
from tests.simulation.customer_behaviour import CustomerBehaviour
from tests.simulation.customers import customer, phone_type, shares_phone
from tests.simulation.event_loop import EventLoop
from tests.simulation.faults import Fault, SeededRandom
from tests.simulation.message_audit import MessageAudit, audit_messages
from tests.simulation.oracle import Oracle
from tests.simulation.organisation import Organisation
from tests.simulation.simulated_request import SimulatedRequest
from tests.simulation.staff_behaviour import StaffBehaviour
from tests.simulation.threadless_sqlite import make_fast

START_AT = datetime(2025, 2, 24, 7, tzinfo=UTC)
"""A Monday. Clocks go forward in America on 9 March and in Britain on the 30th."""
ARRIVAL_PERIOD = timedelta(days=12)
"""In these days the requests are opened."""
MAX_DURATION = timedelta(days=150)
DRAIN_PERIOD = timedelta(days=4)
"""When all lives are over, what is still under way comes to its end."""
KINDS = (
    ("card-application",) * 3
    + ("device-repair",) * 3
    + ("fibre-installation",) * 2
    + ("building-permit",)
)


@dataclass(frozen=True)
class SimulationConfig:
    """What is to be played; ``tells`` and ``watches`` are false only for a comparison."""

    requests: int
    dice: SeededRandom
    sends_updates: bool = True
    detects_drops: bool = True
    kinds: tuple[str, ...] = KINDS


@dataclass
class SimulationResult:
    """Everything that is known when the curtain falls."""

    script: SimulationConfig
    world: EventLoop
    truth: Oracle
    account: MessageAudit
    lives: list[SimulatedRequest]
    seconds: float


class SimulationRun:
    """Puts the parts together and lets them act."""

    def __init__(self, script: SimulationConfig, world: EventLoop) -> None:
        self.script, self.world = script, world
        self.lives: list[SimulatedRequest] = []
        self.by_id: dict[int, SimulatedRequest] = {}
        self.office = Organisation(world)
        self.labour = StaffBehaviour(self.office)
        self.customers = CustomerBehaviour(self.office, self.by_id)
        self.mending = BallHandling(self.labour, self.by_id)
        self.truth = Oracle(self.office, self.by_id)
        world.seen.append(self._seen)
        world.delivered.append(self.customers.read)
        world.looked += [self.truth.look, self.mending.look]
        self.left = script.requests

    async def run(self) -> SimulationResult:
        """From the first morning until the last life is over."""
        started = monotonic()
        await self.office.open()
        for number in range(self.script.requests):
            self._cast(number)
        until = START_AT + ARRIVAL_PERIOD + timedelta(days=20)
        self.office.schedule_absences(until)
        if Fault.OUTAGE in self.script.dice.faults:
            self._plan_outages()
        await self.world.run(lambda: self.left == 0, START_AT + MAX_DURATION)
        over = self.world.now + DRAIN_PERIOD
        await self.world.run(lambda: False, over)
        await self.world.check_oracle()
        account = await audit_messages(self.world)
        return SimulationResult(
            self.script, self.world, self.truth, account, self.lives, monotonic() - started
        )

    def _cast(self, number: int) -> None:
        dice = self.script.dice
        chance = dice.of("life", number)
        kind = self.office.workflows[chance.choice(self.script.kinds)]
        place = COUNTRIES[kind.key]
        details = customer(number, place, dice)
        life = SimulatedRequest(self.world, number, kind, details, shares_phone(number, place))
        life.is_delivered = not dice.hit(Fault.REPLIES, 0.08, "not there", number)
        if details.phone:
            self.world.carrier.phones[details.phone] = phone_type(details, number, dice)
        self.lives.append(life)
        first = kind.departments[kind.roots()[0].department].calendar
        at = first.next_open(START_AT + ARRIVAL_PERIOD * chance.random())
        at += timedelta(seconds=chance.randint(0, 1800))
        self.world.at(at, lambda: self._open(life))

    async def _open(self, life: SimulatedRequest) -> None:
        """Somebody of the first department takes it in."""
        chance = self.script.dice.of("title", life.number)
        root = life.kind.roots()[0]
        keys = {one.key: number for number, one in self.office.departments.items()}
        person = self.office.pick_available(keys[root.department], "open", life.number)
        if person is None:
            raise Conflict("Nobody is there to open a request.")
        order = RequestDetails(
            life.kind.key, life.customer, title=chance.choice(TITLES[life.kind.key]),
            external_id=f"life-{life.number}",
        )  # fmt: skip
        async with self.world.operations.begin(person.actor) as uow:
            life.request = await open_request(uow, order)
            self.by_id[life.request.id or 0] = life
        life.heard_at = self.world.now
        self.customers.wait(life)

    def _seen(self, request: ServiceRequest, news: list[Event]) -> None:
        life = self.by_id.get(request.id or 0)
        if life is None:
            return
        life.see(request, news)
        self.labour.plan(life)
        done = request.is_closed or (
            not self.world.sends_updates
            and request.status == RequestStatus.AWAITING_CONFIRMATION
            and life.is_delivered
        )
        if done != life.is_over:
            life.is_over = done
            self.left += -1 if done else 1

    def _plan_outages(self) -> None:
        """Two of them, on working days, while people work."""
        for number in range(2):
            chance = self.script.dice.of("outage", number)
            day = START_AT + timedelta(days=7 * number + chance.randint(1, 4))
            begin = day.replace(hour=13) + timedelta(minutes=chance.randint(0, 240))
            self.world.add_outage(begin, begin + timedelta(minutes=chance.randint(40, 240)))


async def run_simulation(
    script: SimulationConfig, database_url: str | None = None
) -> SimulationResult:
    """One play on a database of its own, which is gone afterwards unless its URL is given.

    Raises Conflict where the database named is not empty.
    """
    with tempfile.TemporaryDirectory(prefix="kept-simulation-") as folder:
        url = database_url or f"sqlite+aiosqlite:///{Path(folder) / 'kept.db'}"
        settings = _settings(Path(folder), url)
        await asyncio.to_thread(migrate, url)
        async with _database(url) as database:
            await _must_be_empty(database)
            world = EventLoop(
                settings,
                database,
                script.dice,
                START_AT,
                sends_updates=script.sends_updates,
                detects_drops=script.detects_drops,
            )
            with override_now(lambda: world.now), _rarely_collected():
                return await SimulationRun(script, world).run()


@contextmanager
def _rarely_collected() -> Iterator[None]:
    """Garbage is looked for less often: each look costs more than the memory that it frees."""
    before = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


def _settings(folder: Path, url: str) -> Settings:
    """A house that sends texts and mail, with Kept's own defaults; nothing of the environment."""
    told: dict[str, Any] = {
        "data_dir": folder,
        "database_url": url,
        "public_url": "http://simulation.example",
        "configured_secret_keys": "a secret of the simulation, for nobody",
        "brand": "Acme",
        "twilio_account_sid": "AC" + "0" * 32,
        "twilio_auth_tokens": "the token of the simulation",
        "twilio_from_number": "+15005550006",
        "smtp_url": "smtp://127.0.0.1:9",
        "mail_from": "care@acme.example",
        "mail_hook_token": "the hook of the simulation",
    }
    return FixedSettings(**{Settings.environment_name(name): value for name, value in told.items()})


class FixedSettings(Settings):
    """Settings that are given and not looked up: the simulation is the same everywhere."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Nothing but what is given."""
        del settings_cls, env_settings, dotenv_settings, file_secret_settings
        return (init_settings,)


@asynccontextmanager
async def _database(url: str) -> AsyncIterator[Database]:
    database = Database(url)
    if database.is_sqlite:
        make_fast(database)
    try:
        yield database
    finally:
        await database.close()


async def _must_be_empty(database: Database) -> None:
    async with database.reading() as session:
        if await newest_workflows(session):
            raise Conflict("A simulation needs an empty database, and this one is in use.")
