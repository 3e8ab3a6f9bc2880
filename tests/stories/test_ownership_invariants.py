"""At every moment an open request has an owner who is present."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    initialize,
    invariant,
    rule,
)
from sqlmodel import col, select

from portal.errors import PortalError
from portal.models import CUSTOMER_ACTOR, SYSTEM_ACTOR, DroppedBall, ServiceRequest
from portal.operations import (
    accept,
    add_staff,
    advance,
    assign,
    cancel,
    disable_staff,
    hold,
    make_promise,
    mark_absent,
    mark_returned,
    recall,
    receive_text,
    refuse,
    reopen,
    resume,
    send_back,
    set_department_lead,
)
from portal.queries.requests import REQUEST_OPTIONS
from portal.queries.roster import load_full_roster
from tests.support.factories import MARTHA, MARTIN
from tests.support.random_histories import RandomHistory, run_histories
from workers.sweep import Sweep

HANDS = ("tess", "tom", "uma", "pia", "paul", "carl", "cora", "finn", "pat", "mona", "ada")
PLACES = ("telesales", "underwriting", "processing", "courier", "counter", "fire", "plans")
BODIES = ("YES", "NO", "Where is it?", "Please call me tomorrow at 3", "CANCEL", "REOPEN")

hands, which = st.sampled_from(HANDS), st.integers(0, 11)
nobody_or = st.none() | hands
hours = st.none() | st.integers(1, 90)


class ComingAndGoing(RandomHistory):
    """Requests move while people go away, come back, leave and join."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[ServiceRequest] = []
        self.must_sweep = False

    @initialize()
    def morning(self):
        async def begin():
            await self.create_organisation()
            self.sweep = Sweep(self.operations, lambda: None, "test")
            card, done, permit = [
                await self.organisation.open(workflow, by=SYSTEM_ACTOR)
                for workflow in ("card", "card", "permit")
            ]
            await self.organisation.run(advance, permit, by=SYSTEM_ACTOR)
            for _ in range(5):
                with suppress(PortalError):
                    await self.organisation.run(accept, done, by=SYSTEM_ACTOR)
                await self.organisation.run(advance, done, by=SYSTEM_ACTOR)
            return [card, done, permit]

        self.requests = self.wait(begin())

    def run(self, work):
        """A refusal is an answer too; anything else that is raised is not."""
        with suppress(PortalError):
            self.wait(work)
            self.clock.shift(timedelta(seconds=1))

    def see(self, which):
        return self.wait(self.organisation.reload(self.requests[which % len(self.requests)]))

    def do(self, verb, which, *, by=SYSTEM_ACTOR, **words):
        self.run(
            self.organisation.run(verb, self.requests[which % len(self.requests)], by=by, **words)
        )

    def hear(self, verb, email, *, helps=False, **words):
        """``helps`` where others' work may find somebody by it: the worker sees to that."""
        self.must_sweep |= helps
        self.run(self.organisation.run_unbound(verb, email=email, by=SYSTEM_ACTOR, **words))

    def by(self, hand):
        return getattr(self.organisation.people, hand).actor

    # What happens to requests

    @rule(workflow=st.sampled_from(["card", "permit", "repair"]))
    def open(self, workflow):
        async def opened():
            customer = MARTHA if workflow == "repair" else MARTIN
            self.requests.append(await self.organisation.open(workflow, customer, by=SYSTEM_ACTOR))

        if len(self.requests) < 5:
            self.run(opened())

    @rule(which=which, takes_up=st.booleans(), hand=nobody_or)
    def go_on(self, which, takes_up, hand):
        for run in self.see(which).open_runs:
            if takes_up:
                self.do(
                    accept, which, stage=run.stage_key, by=self.by(hand) if hand else SYSTEM_ACTOR
                )
            self.do(advance, which, stage=run.stage_key)

    @rule(which=which, verb=st.sampled_from([refuse, recall, send_back]), back=st.integers(0, 4))
    def go_back(self, which, verb, back):
        words = {} if verb is recall else {"reason": "No."}
        runs = self.see(which).runs
        meant = [run for run in runs if (run.completed_at if verb is send_back else run.is_open)]
        for run in meant[back : back + 1]:
            self.do(verb, which, stage=run.stage_key, **words)

    @rule(which=which, pauses=st.booleans())
    def stop_or_start(self, which, pauses):
        seen = self.see(which)
        if seen.is_closed:
            self.do(reopen, which, reason="A mistake.")
        elif any(run.held_at for run in seen.open_runs):
            self.do(resume, which)
        else:
            self.do(hold if pauses else cancel, which, reason="They said so.")

    @rule(which=which, hand=hands, promises=st.booleans())
    def name(self, which, hand, promises):
        if promises:
            due = datetime.now(UTC) + timedelta(hours=2)
            self.do(make_promise, which, text="A call.", due_at=due)
            self.do(make_promise, which, text="A call.", due_at=due, owner=mail(hand))
        else:
            self.do(assign, which, owner=mail(hand))

    @rule(body=st.sampled_from(BODIES))
    def text(self, body):
        sid = f"SM{next(self.numbers)}"
        self.run(
            self.organisation.run_unbound(
                receive_text, sid=sid, sender=MARTIN.phone, to="+15005550006", body=body,
                by=CUSTOMER_ACTOR,
            )
        )  # fmt: skip

    # What happens to people

    @rule(which=which, part=st.integers(0, 5), lasts=hours, deputy=nobody_or)
    def whoever_has_it_goes_away(self, which, part, lasts, deputy):
        self.set_absence(which, part, 0, lasts, deputy)

    @rule(which=which, part=st.integers(0, 5), lasts=hours, deputy=nobody_or)
    def whoever_has_it_goes_away_soon(self, which, part, lasts, deputy):
        self.set_absence(which, part, 2, lasts, deputy)
        self.time_passes(2)

    def set_absence(self, which, part, later, lasts, deputy):
        begins = datetime.now(UTC) + timedelta(hours=later)
        self.hear(
            mark_absent, self.whoever_has(which, part), helps=bool(deputy), from_=begins,
            deputy=mail(deputy) if deputy else None,
            until=begins + timedelta(hours=lasts) if lasts else None,
        )  # fmt: skip

    @rule(which=which, part=st.integers(0, 5))
    def whoever_has_it_leaves(self, which, part):
        self.hear(disable_staff, self.whoever_has(which, part))

    def whoever_has(self, which, part):
        """Somebody who has a part of it: a promise, the whole, a stage."""
        seen = self.see(which)
        parts = [
            promise.owner_id for promise in reversed(seen.promises) if promise.closed_at is None
        ]
        parts += [seen.owner_id, *(run.assignee_id for run in seen.open_runs)]
        theirs = parts[part % len(parts)]
        return next(
            person.email
            for person in vars(self.organisation.people).values()
            if person.id == theirs
        )

    @rule(hand=hands, place=st.none() | st.sampled_from(PLACES))
    def come_back_or_join(self, hand, place):
        self.hear(mark_returned, mail(hand), helps=True)
        self.hear(add_staff, mail(hand), helps=True, name=hand.title())
        if place:
            self.hear(set_department_lead, mail(hand), helps=True, department=place)

    @rule(hours=st.integers(1, 100))
    def a_day_passes(self, hours):
        self.time_passes(hours)

    def time_passes(self, hours):
        self.clock.shift(timedelta(hours=hours))
        self.must_sweep = True

    # What must hold

    @invariant()
    def everything_has_one_owner_who_is_here_if_anybody_is(self):
        requests, balls, roster = self.wait(self.look())
        for request in requests:
            for promise in request.promises:
                if promise.closed_at is None:
                    self.must_be_had(roster, promise.owner_id, promise.department_id)
            if request.is_closed:
                continue
            self.must_be_had(roster, request.owner_id, request.department_id)
            for run in request.open_runs:
                waiting = [
                    handoff
                    for handoff in request.handoffs
                    if handoff.run_id == run.id and handoff.is_pending
                ]
                place = waiting[0].from_department_id if waiting else run.department_id
                self.must_be_had(roster, run.assignee_id, place)
            if len(request.open_runs) == 1:
                assert request.owner_id == request.open_runs[0].assignee_id
        for ball in balls:
            if ball.owner_id and ball.department_id:
                self.must_be_had(roster, ball.owner_id, ball.department_id)

    def must_be_had(self, roster, staff_id, department_id):
        """By a member of staff who has not left, and is away only where nobody else is there."""
        person = roster.staff[staff_id]
        assert person.disabled_at is None
        if person.is_away(roster.now):
            assert not any(self.could_take_it(roster, department_id))
            assert not self.deputies_here(roster, person)

    def could_take_it(self, roster, department_id):
        """Said in other words than the product's: colleagues, and all who oversee."""
        for person in roster.staff.values():
            near = person.id in roster.members.get(department_id, [])
            if not person.disabled_at and not person.is_away(roster.now):
                yield near or person.role in ("manager", "admin")

    def deputies_here(self, roster, person):
        deputy = roster.staff.get(person.deputy_id)
        return deputy and not deputy.disabled_at and not deputy.is_away(roster.now)

    async def look(self):
        if self.must_sweep:
            await self.sweep.once()
            self.must_sweep = False
        async with self.database.reading() as session:
            requests = (await session.exec(select(ServiceRequest).options(*REQUEST_OPTIONS))).all()
            open_balls = select(DroppedBall).where(col(DroppedBall.resolved_at).is_(None))
            balls = (await session.exec(open_balls)).all()
            return requests, balls, await load_full_roster(session)


def mail(hand):
    """The address of one of the cast."""
    return f"{hand}@acme.example"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_open_requests_always_have_an_owner(settings, seed_rows, migrated_file, tmp_path):
    run_histories(
        ComingAndGoing,
        16,
        settings=settings,
        seed_rows=seed_rows,
        blank=migrated_file,
        folder=tmp_path,
    )
