"""One turn of the relay: one transaction, and what is made known once it is committed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from portal import business_time
from portal.database import Database
from portal.jobs import Jobs
from portal.live import Live
from portal.messaging.wording.renderer import Teller
from portal.models import Actor, Event, EventKind, Message, Paces, ServiceRequest
from portal.operations.dropped_balls.detection import keep_watch
from portal.operations.milestone_messages import announce
from portal.operations.outbox import Outbox
from portal.queries.conversations import is_awaited
from portal.queries.requests import lock_service_request
from portal.queries.roster import load_roster, stage_ids
from portal.queries.stage_durations import load_paces
from portal.rules.follow_up_schedule import QuestionTimes
from portal.rules.proactive_updates import Manners, keep_dates_owed, next_tell_at
from portal.rules.roster import Roster
from portal.rules.stage_flow import Progress
from portal.settings import Settings

GOOD_NEWS = frozenset(
    {EventKind.STAGE_REACHED, EventKind.AWAITING_CONFIRMATION, EventKind.COMPLETED}
)
"""What the customer hears of: it says more than a new date would have."""


@dataclass
class Turn:
    """What a verb works with: the transaction, the hand, the moment, and the outbox."""

    session: AsyncSession
    settings: Settings
    actor: Actor
    now: datetime
    outbox: Outbox
    touched: dict[int, ServiceRequest] = field(default_factory=dict)
    # Requests about which only staff can see something new, such as a receipt.
    nudged: set[int] = field(default_factory=set)
    # Departments on whose board or in whose inbox something has moved.
    moved: set[int] = field(default_factory=set)
    _rosters: dict[int, Roster] = field(default_factory=dict)
    _paces: dict[str, Paces] = field(default_factory=dict)

    async def lock(self, reference: str, version: int | None = None) -> ServiceRequest:
        """The request, held until the turn ends. Raises NotFound or Stale."""
        return await lock_service_request(self.session, reference, version)

    async def roster(self, request: ServiceRequest) -> Roster:
        """Who could take what in this request's workflow; read once a turn."""
        if request.workflow_id not in self._rosters:
            roster = await load_roster(self.session, request.definition, self.now)
            self._rosters[request.workflow_id] = roster
        return self._rosters[request.workflow_id]

    async def paces(self, request: ServiceRequest) -> Paces:
        """How long its like have taken; read once a turn and workflow."""
        key = request.workflow.key
        if key not in self._paces:
            self._paces[key] = await load_paces(self.session, key)
        return self._paces[key]

    async def progress(self, request: ServiceRequest) -> Progress:
        """The rules of the relay for this request, by this hand, now."""
        ids = await stage_ids(self.session, request.workflow_id)
        return Progress(
            request, await self.roster(request), ids, self.actor, self.now,
            await self.paces(request),
        )  # fmt: skip

    async def teller(self, request: ServiceRequest) -> Teller:
        """What puts this request's facts into words."""
        return Teller(
            request, await self.roster(request), self.settings.brand, self.settings.public_url,
            self.now,
        )  # fmt: skip

    async def is_awaited(self, request: ServiceRequest) -> bool:
        """True while the customer waits to hear from us, so that quiet hours hold nothing back."""
        return await is_awaited(self.session, request, self.now)

    async def settle(self, request: ServiceRequest) -> list[Event]:
        """Write what happened, owe the customer the words for it, and let the page move on.

        Call it once at the end of each verb. The page's version grows once however much happened,
        so that a customer's page moves once for one deed.
        """
        self.session.add(request)
        news = [one for one in self.session.new if isinstance(one, Event)]
        await self.session.flush()
        news.sort(key=lambda event: event.id or 0)
        await announce(await self.teller(request), self.outbox, news)
        if any(event.visible for event in news):
            self.touch(request)
        elif news:
            self.nudged.add(request.id or 0)
        if any(one.kind in GOOD_NEWS for one in news):
            keep_dates_owed(request, self.actor, self.now)
        QuestionTimes(request, await self.roster(request), self.now).look_anew()
        self.moved |= await keep_watch(self.session, request, await self.roster(request), self.now)
        await self.plan_telling(request)
        if news:
            self.moved |= {request.department_id, *(run.department_id for run in request.runs)}
            self.moved |= {promise.department_id for promise in request.promises}
        await self.session.flush()
        return news

    async def plan_telling(self, request: ServiceRequest) -> None:
        """When its customer must next hear from us, unless something happens first."""
        manners = self.manners(request)
        request.tell_at = next_tell_at(request, await self.roster(request), manners)

    def manners(self, request: ServiceRequest) -> Manners:
        """How we keep time with this customer."""
        return Manners.towards(request.customer, self.settings, self.now)

    def touch(self, request: ServiceRequest) -> None:
        """The customer can see something new: the page's version grows once a turn."""
        if request.id is not None and request.id not in self.touched:
            request.page_version += 1
            self.touched[request.id] = request


@dataclass
class Relay:
    """The way into every verb: settings, the database, and whom to tell after a commit."""

    settings: Settings
    database: Database
    jobs: Jobs
    live: Live

    @asynccontextmanager
    async def turn(self, actor: Actor) -> AsyncIterator[Turn]:
        """One transaction; after its commit the worker is woken and open pages are told.

        Should the process die between the two, the sweep finds the messages and the pages find
        their new version: nothing but seconds is lost.
        """
        now = business_time.now()
        async with self.database.transaction() as session:
            outbox = Outbox(session, self.settings, now)
            turn = Turn(session, self.settings, actor, now, outbox)
            yield turn
            await session.flush()
        owed = [message.id for message in outbox.written if _is_owed(message)]
        await self.jobs.deliver([one for one in owed if one is not None])
        for request_id, request in turn.touched.items():
            await self.live.publish(request_id, request.page_version)
        await self.live.nudge_desk(*(turn.nudged - turn.touched.keys()))
        await self.live.nudge_departments(*turn.moved)


def _is_owed(message: Message) -> bool:
    return message.status == "queued"
