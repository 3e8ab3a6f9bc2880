"""A sample request while it is made: its time, its people and its messages."""

import uuid
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random

from portal.demo.sample_data.scenarios import Scenario
from portal.demo.sample_data.translations import translate
from portal.models import Actor, Channel, Message, MessageStatus, SendAttempt, StageRun
from portal.models.columns import saved_id
from portal.models.requests.service_request import ServiceRequest
from portal.operations import CustomerDetails, UnitOfWork
from portal.operations.outbox import Outbox
from portal.queries.roster import load_roster
from portal.queries.workflows import get_newest_workflow

SENT_AFTER, DELIVERED_AFTER = timedelta(seconds=2), timedelta(seconds=5)


@dataclass
class SampleRequest:
    """A request between two of its actions; ``now`` is its own present.

    All samples of a batch share one transaction, which is quick to write; each action has a Turn
    of its own, with its own moment and actor.
    """

    base: UnitOfWork
    scenario: Scenario
    customer: CustomerDetails
    title: str
    rng: Random
    now: datetime
    _request: ServiceRequest | None = None
    _outboxes: list[Outbox] = field(default_factory=list)

    @property
    def request(self) -> ServiceRequest:
        """The request, once it has been opened."""
        if self._request is None:
            raise RuntimeError("the request is not open yet")
        return self._request

    @request.setter
    def request(self, opened: ServiceRequest) -> None:
        self._request = opened

    def begin(self, actor: Actor) -> UnitOfWork:
        """A turn at the present of this request, by this actor."""
        outbox = Outbox(self.base.session, self.base.settings, self.now)
        self._outboxes.append(outbox)
        return replace(self.base, now=self.now, actor=actor, outbox=outbox, changed_pages={})

    def next_due_at(self) -> datetime | None:
        """When Kept next sends something by itself: a question, a reminder, an update."""
        if self._request is None:
            return None
        moments = [
            self.request.next_update_at,
            *(question.next_at for question in self.request.follow_ups),
        ]
        return min((moment for moment in moments if moment is not None), default=None)

    def translated(self, text: str) -> str:
        """A text of the scenario in the customer's language."""
        return translate(self.customer.locale or "en", text)

    def open_run(self, stage: str) -> StageRun | None:
        """The open run of that stage."""
        return next((run for run in self.request.open_runs if run.stage_key == stage), None)

    async def opener(self) -> Actor:
        """A colleague of the department where the workflow begins."""
        workflow = await get_newest_workflow(self.base.session, self.scenario.workflow)
        roster = await load_roster(self.base.session, workflow.definition)
        first = roster.department(workflow.definition.roots()[0].department)
        return roster.person(self.rng.choice(sorted(roster.members[saved_id(first)]))).actor

    async def colleague_of(self, department_id: int) -> Actor:
        """A colleague of the department."""
        roster = await self.base.roster(self.request)
        return roster.person(self.rng.choice(sorted(roster.members[department_id]))).actor

    async def assignee(self, staff_id: int) -> Actor:
        """The colleague with that id, as an actor."""
        return (await self.base.roster(self.request)).person(staff_id).actor

    async def owner(self) -> Actor:
        """The owner of the request."""
        return await self.assignee(self.request.owner_id)

    async def deliver(self, present: datetime) -> None:
        """Mark messages that were due as delivered; the worker sends those that are due later."""
        written = [message for outbox in self._outboxes for message in outbox.written]
        self._outboxes.clear()
        if written:
            await self.base.session.flush()
        for message in written:
            if message.status == MessageStatus.QUEUED and message.due_at < present:
                self._deliver(message)

    def _deliver(self, message: Message) -> None:
        message.status = MessageStatus.DELIVERED
        message.attempts = 1
        message.sent_at = message.due_at + SENT_AFTER
        message.delivered_at = message.due_at + DELIVERED_AFTER
        if message.channel == Channel.SMS:
            message.provider_sid = f"SM{uuid.uuid4().hex}"
        self.base.session.add(
            SendAttempt(
                message_id=saved_id(message),
                claim_token=uuid.uuid4().hex,
                claimed_at=message.due_at,
                finished_at=message.sent_at,
                provider_sid=message.provider_sid,
                status=MessageStatus.DELIVERED,
            )
        )
