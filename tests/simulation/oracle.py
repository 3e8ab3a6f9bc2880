"""The oracle: detects dropped balls independently of the product.

Each rule is written a second time, as a query over the rows, so the oracle finds what the product does
not schedule, or schedules wrongly.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col, select

from portal.models import (
    Direction,
    DroppedBall,
    DroppedBallKind,
    FollowUp,
    FollowUpState,
    Handoff,
    Message,
    MessageKind,
    MessageStatus,
    MonitoringGap,
    Promise,
    PromiseKind,
    RunState,
    ServiceRequest,
    StaffMember,
    StageRun,
)
from tests.simulation.case import Case
from tests.simulation.drop import ActualDrop, Key, unreachable_customers
from tests.simulation.organisation import Organisation

MESSAGE_COLUMNS = (
    "id", "request_id", "status", "provider_sid", "reconciled_at", "claimed_at", "created_at",
)  # fmt: skip
BOUNCING_THRESHOLD = 2


@dataclass
class Oracle:
    """Every drop of a simulation, and every ball that was raised without one."""

    organisation: Organisation
    cases: dict[int, Case]
    drops: list[ActualDrop] = field(default_factory=list)
    raised: int = 0
    false: list[str] = field(default_factory=list)
    standing: dict[Key, ActualDrop] = field(default_factory=dict)
    _newest: int = 0
    _known: dict[Key, ActualDrop] = field(default_factory=dict)

    async def check(self) -> None:
        """Find what has been dropped by now, what is resolved, and what was raised."""
        simulation = self.organisation.simulation
        if simulation.outage_end(simulation.now) is not None:
            return
        async with simulation.database.reading() as session:
            connection = await session.connection()
            facts = {
                (drop.kind, drop.subject): drop
                for drop in await self._facts(connection, simulation.now)
            }
            query = select(DroppedBall).where(col(DroppedBall.id) > self._newest)
            balls = (await session.exec(query.order_by(col(DroppedBall.id)))).all()
            outages = (await session.exec(select(MonitoringGap))).all()
        for key, fact in facts.items():
            known = self.standing.get(key)
            if known is None or known.at != fact.at:
                if known is not None:
                    fact.raised_at = known.raised_at  # The same ball is still open for it.
                    known.ended_at = simulation.now
                self.standing[key] = self._known[key] = fact
                self.drops.append(fact)
            self.standing[key].last_seen_open_at = simulation.now
            for out in outages:
                if out.began_at <= fact.at < out.grace_until:
                    self.standing[key].grace_until = out.grace_until
        for key in [key for key in self.standing if key not in facts]:
            self.standing.pop(key).ended_at = simulation.now
        for ball in balls:
            self._newest = ball.id or 0
            self._judge(ball)

    def _judge(self, ball: DroppedBall) -> None:
        self.raised += 1
        drop = self.standing.get((ball.kind, ball.subject))
        if drop is None and ball.kind in (
            DroppedBallKind.RETURNED_REPEATEDLY,
            DroppedBallKind.SENT_TWICE,
        ):
            drop = self._known.get((ball.kind, ball.subject))
        if drop is None or drop.at > ball.raised_at:
            self.false.append(f"{ball.raised_at:%d %b %H:%M} {ball.kind} {ball.subject}")
        elif drop.raised_at is None:
            drop.raised_at = ball.raised_at

    async def _facts(self, connection: AsyncConnection, now: datetime) -> list[ActualDrop]:
        found = [
            *await self._of_stages(connection, now),
            *await self._of_handoffs(connection, now),
            *await self._of_promises_and_messages(connection, now),
            *await self._of_questions(connection, now),
            *await self._of_messages(connection),
            *await self._of_people(connection, now),
            *await unreachable_customers(connection, now),
            *self._of_returns(),
        ]
        ageing: Any = sa.select(col(ServiceRequest.id), col(ServiceRequest.overdue_age_at)).where(
            col(ServiceRequest.overdue_age_at) <= now, col(ServiceRequest.closed_at).is_(None)
        )
        for request_id, at in (await connection.execute(ageing)).all():
            found.append(
                ActualDrop(DroppedBallKind.AGEING, f"request:{request_id}", request_id, at)
            )
        return found

    async def _of_stages(self, connection: AsyncConnection, now: datetime) -> list[ActualDrop]:
        query: Any = sa.select(
            col(StageRun.id), col(StageRun.request_id), col(StageRun.overdue_at), col(StageRun.silence_overdue_at)
        ).where(
            col(StageRun.state) == RunState.OPEN, col(StageRun.paused_at).is_(None),
            sa.or_(col(StageRun.overdue_at) <= now, col(StageRun.silence_overdue_at) <= now),
        )  # fmt: skip
        found = []
        rows = (await connection.execute(query)).all()
        for run_id, request_id, overdue_at, silence_overdue_at in rows:
            if overdue_at <= now:
                found.append(
                    ActualDrop(
                        DroppedBallKind.STAGE_OVERDUE, f"run:{run_id}", request_id, overdue_at
                    )
                )
            if silence_overdue_at is not None and silence_overdue_at <= now:
                silent = DroppedBallKind.THIRD_PARTY_SILENT
                found.append(ActualDrop(silent, f"run:{run_id}", request_id, silence_overdue_at))
        return found

    async def _of_handoffs(self, connection: AsyncConnection, now: datetime) -> list[ActualDrop]:
        query: Any = (
            sa.select(col(Handoff.id), col(Handoff.request_id), col(Handoff.accept_by))
            .join(StageRun, col(StageRun.id) == col(Handoff.run_id))
            .where(
                col(Handoff.closed_at).is_(None),
                col(Handoff.accept_by) <= now,
                col(StageRun.paused_at).is_(None),
            )
        )
        kind = DroppedBallKind.HANDOFF_UNACCEPTED
        return [
            ActualDrop(kind, f"handoff:{handoff_id}", request_id, at)
            for handoff_id, request_id, at in (await connection.execute(query)).all()
        ]

    async def _of_promises_and_messages(
        self, connection: AsyncConnection, now: datetime
    ) -> list[ActualDrop]:
        """Promises past their time, and customers' messages that nobody has answered."""
        owed: Any = (
            sa.select(
                col(Promise.id), col(Promise.request_id), col(Promise.kind), col(Promise.made_at),
                col(Promise.due_at), col(ServiceRequest.unanswered_since),
            )
            .join(ServiceRequest, col(ServiceRequest.id) == col(Promise.request_id))
            .where(col(Promise.closed_at).is_(None))
        )  # fmt: skip
        found, covered, answers = [], set[int](), dict[int, datetime]()
        for row in (await connection.execute(owed)).all():
            if row.kind in (PromiseKind.ANSWER, PromiseKind.CALL):
                covered.add(row.request_id)
            since = row.unanswered_since
            if row.kind == PromiseKind.ANSWER and since is not None and row.made_at >= since:
                known = answers.get(row.request_id, row.due_at)
                answers[row.request_id] = min(known, row.due_at)
            elif row.due_at <= now:
                late = DroppedBallKind.PROMISE_DUE
                found.append(ActualDrop(late, f"promise:{row.id}", row.request_id, row.due_at))
        for request_id, due_at in answers.items():
            if due_at <= now:
                unanswered = DroppedBallKind.MESSAGE_UNANSWERED
                found.append(ActualDrop(unanswered, f"request:{request_id}", request_id, due_at))
        wrote: Any = sa.select(
            col(ServiceRequest.id), col(ServiceRequest.department_id),
            col(ServiceRequest.unanswered_since),
        ).where(col(ServiceRequest.unanswered_since).is_not(None))  # fmt: skip
        for request_id, department_id, since in (await connection.execute(wrote)).all():
            by = self.organisation.departments[department_id].reply_due_at(since)
            if request_id not in covered and by <= now:
                unanswered = DroppedBallKind.MESSAGE_UNANSWERED
                found.append(ActualDrop(unanswered, f"request:{request_id}", request_id, by))
        return found

    async def _of_questions(self, connection: AsyncConnection, now: datetime) -> list[ActualDrop]:
        query: Any = (
            sa.select(
                col(FollowUp.id), col(FollowUp.request_id), col(FollowUp.key), col(FollowUp.reminded_at),
                col(StageRun.department_id),
            )
            .join(StageRun, col(StageRun.id) == col(FollowUp.run_id))
            .join(ServiceRequest, col(ServiceRequest.id) == col(FollowUp.request_id))
            .where(
                col(FollowUp.state) == FollowUpState.ASKED,
                col(FollowUp.reminded_at).is_not(None),
                col(FollowUp.called_at).is_(None),
                col(ServiceRequest.closed_at).is_(None),
            )
        )  # fmt: skip
        found = []
        rows = (await connection.execute(query)).all()
        for question_id, request_id, key, reminded_at, place in rows:
            case = self.cases.get(request_id)
            wait = case.kind.question(key).remind_after if case else None
            at = self.organisation.calendar(place).add(reminded_at, wait) if wait else None
            if at is not None and at <= now:
                kind = DroppedBallKind.FOLLOW_UP_UNANSWERED
                found.append(ActualDrop(kind, f"follow_up:{question_id}", request_id, at))
        return found

    async def _of_messages(self, connection: AsyncConnection) -> list[ActualDrop]:
        """Messages that reached nobody, and those whose outcome stays unknown."""
        kinds = {
            MessageStatus.FAILED: DroppedBallKind.MESSAGE_UNDELIVERED,
            MessageStatus.UNDELIVERED: DroppedBallKind.MESSAGE_UNDELIVERED,
            MessageStatus.REVIEW: DroppedBallKind.OUTCOME_UNKNOWN,
        }
        query: Any = sa.select(*(getattr(Message, name) for name in MESSAGE_COLUMNS)).where(
            col(Message.direction) == Direction.OUT,
            col(Message.status).in_(kinds),
            col(Message.handled_at).is_(None),
            col(Message.request_id).is_not(None),
            col(Message.kind) != MessageKind.NOTICE,
        )
        rows = (await connection.execute(query)).all()
        return [
            ActualDrop(kinds[row.status], f"message:{row.id}", row.request_id, self._ended_at(row))
            for row in rows
        ]

    def _ended_at(self, row: Any) -> datetime:
        """When the carrier gave it up; without it there, when reconciling ended."""
        simulation = self.organisation.simulation
        text = simulation.carrier.account.find(row.provider_sid or "")
        if text is not None and len(text.statuses) > 1:
            return text.updated_at
        again = timedelta(seconds=simulation.settings.reconcile_seconds)
        known: datetime = row.claimed_at or row.created_at
        if row.reconciled_at is not None:
            known = row.reconciled_at + again
        return known

    async def _of_people(self, connection: AsyncConnection, now: datetime) -> list[ActualDrop]:
        query: Any = (
            sa.select(
                col(ServiceRequest.id), col(ServiceRequest.updated_at), col(StaffMember.id),
                col(StaffMember.disabled_at), col(StaffMember.absent_from),
            )
            .join(StaffMember, col(StaffMember.id) == col(ServiceRequest.owner_id))
            .where(
                col(ServiceRequest.closed_at).is_(None),
                sa.or_(
                    col(StaffMember.disabled_at).is_not(None),
                    sa.and_(
                        col(StaffMember.absent_from) <= now,
                        sa.or_(
                            col(StaffMember.absent_until).is_(None),
                            col(StaffMember.absent_until) > now,
                        ),
                    ),
                ),
            )
        )  # fmt: skip
        found = []
        rows = (await connection.execute(query)).all()
        for request_id, updated_at, person_id, left_at, away in rows:
            if left_at is not None:
                found.append(
                    ActualDrop(
                        DroppedBallKind.NO_OWNER, f"request:{request_id}", request_id, updated_at
                    )
                )
            else:
                subject = f"request:{request_id}:{person_id}"
                found.append(ActualDrop(DroppedBallKind.OWNER_ABSENT, subject, request_id, away))
        return found

    def _of_returns(self) -> Iterator[ActualDrop]:
        """Bouncing, by the simulation's own count of returns."""
        for request_id, case in self.cases.items():
            if case.is_over or case.current.is_closed or case.returns_resolved:
                continue
            for pair, times in case.returns.items():
                if times >= BOUNCING_THRESHOLD:
                    subject = f"request:{request_id}:{'-'.join(map(str, sorted(pair)))}"
                    at = case.bounced_at[pair]
                    yield ActualDrop(DroppedBallKind.RETURNED_REPEATEDLY, subject, request_id, at)
