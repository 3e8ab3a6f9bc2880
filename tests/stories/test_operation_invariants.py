"""Random histories of operations: nothing is dropped, and no message is sent twice."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    initialize,
    invariant,
    rule,
)
from sqlmodel import select

from portal.errors import PortalError
from portal.models import (
    CUSTOMER_ACTOR,
    SYSTEM_ACTOR,
    Direction,
    FollowUpState,
    Message,
    RequestStatus,
    RunState,
    ServiceRequest,
    StaffMember,
)
from portal.operations import (
    accept,
    advance,
    assign,
    cancel,
    disable_staff,
    hold,
    make_promise,
    receive_text,
    receive_web_message,
    refuse,
    reopen,
    resume,
    resume_expired_holds,
    run_due_follow_ups,
    send_back,
    write_to_customer,
)
from portal.queries.requests import REQUEST_OPTIONS
from tests.support.factories import MARTHA, MARTIN
from tests.support.random_histories import RandomHistory, run_histories

STAGES = (
    None, "received", "decision", "made", "courier", "delivered", "intake", "fire", "plans",
    "zoning", "diagnosis", "quote", "mended",
)  # fmt: skip
HANDS = ("tess", "tom", "uma", "pia", "carl", "cora", "finn", "pat", "ben", "mona", "ada")
BODIES = ("YES", "NO", "1", "2", "Where is it?", "STOP", "START", "CANCEL", "Thank you", "🎉", "Hm")

stages, hands = st.sampled_from(STAGES), st.sampled_from(HANDS)
which = st.integers(min_value=0, max_value=3)


class AnyDay(RandomHistory):
    """A day at the house: any verb by any hand on any request, at any time."""

    def __init__(self) -> None:
        super().__init__()
        self.pages: dict[int, int] = {}

    @initialize(third=st.sampled_from(["card", "permit", "repair"]))
    def morning(self, third):
        async def begin():
            await self.create_organisation()
            return [
                await self.organisation.open("card", by=SYSTEM_ACTOR),
                await self.organisation.open("permit", by=SYSTEM_ACTOR),
                await self.organisation.open("repair", customer=MARTHA, by=SYSTEM_ACTOR),
                await self.organisation.open(third, by=SYSTEM_ACTOR),
            ]

        self.requests = self.wait(begin())

    def do(self, verb, which, *args, by=SYSTEM_ACTOR, **words):
        """One verb; a refusal is an answer too, and anything else that is raised is not."""
        try:
            self.wait(self.organisation.run(verb, self.requests[which], *args, by=by, **words))
        except PortalError:
            pass
        else:
            self.clock.shift(timedelta(seconds=1))

    def hear(self, verb, **words):
        try:
            self.wait(self.organisation.run_unbound(verb, **words))
        except PortalError:
            pass
        else:
            self.clock.shift(timedelta(seconds=1))

    def by(self, hand):
        return getattr(self.organisation.people, hand).actor

    @rule(which=which, stage=stages, hand=hands)
    def advance(self, which, stage, hand):
        self.do(advance, which, stage=stage, note="As they said.", by=self.by(hand))

    @rule(which=which)
    def advance_whatever_is_open(self, which):
        seen = self.wait(self.organisation.reload(self.requests[which]))
        for run in seen.open_runs[:1]:
            self.do(accept, which, stage=run.stage_key)
            self.do(advance, which, stage=run.stage_key)

    @rule(which=which, stage=stages, hand=hands)
    def accept(self, which, stage, hand):
        self.do(accept, which, stage=stage, by=self.by(hand))

    @rule(which=which, stage=stages)
    def refuse(self, which, stage):
        self.do(refuse, which, stage=stage, reason="No.")

    @rule(which=which, stage=stages.filter(bool), hand=hands)
    def send_back(self, which, stage, hand):
        self.do(send_back, which, stage=stage, reason="Again.", by=self.by(hand))

    @rule(which=which, stage=stages, days=st.sampled_from([None, 1]))
    def hold(self, which, stage, days):
        until = datetime.now(UTC) + timedelta(days=days) if days else None
        self.do(hold, which, stage=stage, reason="Wait.", until=until)

    @rule(which=which, stage=stages)
    def resume(self, which, stage):
        self.do(resume, which, stage=stage)

    @rule(which=which)
    def cancel(self, which):
        self.do(cancel, which, reason="Enough.")

    @rule(which=which, stage=stages)
    def reopen(self, which, stage):
        self.do(reopen, which, stage=stage, reason="A mistake.")

    @rule(which=which, stage=stages, hand=hands)
    def assign(self, which, stage, hand):
        self.do(assign, which, stage=stage, owner=f"{hand}@acme.example")

    @rule(which=which, hours=st.integers(1, 900))
    def time_passes(self, which, hours):
        self.clock.shift(timedelta(hours=hours))
        self.do(run_due_follow_ups, which)
        self.do(resume_expired_holds, which)

    @rule(which=which)
    def promise(self, which):
        due = datetime.now(UTC) + timedelta(hours=2)
        self.do(make_promise, which, text="A call.", due_at=due)

    @rule(which=which)
    def write(self, which):
        self.do(write_to_customer, which, "Hello.")

    @rule(body=st.sampled_from(BODIES), sender=st.sampled_from([MARTIN.phone, "+14155550199"]))
    def text(self, body, sender):
        self.hear(
            receive_text, sid=f"SM{next(self.numbers)}", sender=sender, to="+15005550006",
            body=body, by=CUSTOMER_ACTOR,
        )  # fmt: skip

    @rule(which=which, body=st.sampled_from(BODIES))
    def write_on_the_page(self, which, body):
        self.do(receive_web_message, which, body, by=CUSTOMER_ACTOR)

    @rule(hand=st.sampled_from(HANDS[:-2]))
    def somebody_leaves(self, hand):
        self.hear(disable_staff, email=f"{hand}@acme.example", by=SYSTEM_ACTOR)

    @invariant()
    def nothing_is_dropped(self):
        requests, messages, gone = self.wait(self.look())
        for request in requests:
            self.hold_to_its_invariants(request, gone)
        causes = [(message.cause, message.kind, message.channel) for message in messages]
        assert len(causes) == len(set(causes))
        answered = {message.cause for message in messages if message.direction == Direction.OUT}
        for heard in messages:
            if heard.direction == Direction.IN and heard.request_id is None:
                if heard.intent == "stop":
                    continue  # A repeated stop is heeded in silence: its confirmation was the last.
                assert f"message:{heard.id}" in answered or heard.from_address != MARTIN.phone

    def hold_to_its_invariants(self, request, gone):
        runs = request.open_runs
        assert request.page_version >= self.pages.get(request.id, 0)
        self.pages[request.id] = request.page_version
        if request.is_closed:
            assert not runs
            assert request.closed_at is not None
            assert not any(handoff.is_pending for handoff in request.handoffs)
            assert not any(question.is_pending for question in request.follow_ups)
        else:
            assert request.closed_at is None
            assert request.owner_id
            assert request.owner_id not in gone
            assert (not runs) == (request.status == RequestStatus.AWAITING_CONFIRMATION)
            if len(runs) == 1:
                assert request.owner_id == runs[0].assignee_id
            assert request.status == self.expected_status(request)
        assert len({run.stage_key for run in runs}) == len(runs)
        for run in runs:
            assert run.assignee_id
            assert run.assignee_id not in gone
            assert run.is_paused == bool(run.held_at or run.waits_on_customer)
            assert run.reached_at or any(
                handoff.is_pending and handoff.run_id == run.id for handoff in request.handoffs
            )
        for promise in request.promises:
            assert promise.closed_at or promise.owner_id not in gone
        if request.status == RequestStatus.COMPLETED:
            self.must_be_done(request)

    def expected_status(self, request):
        runs = request.open_runs
        if not runs:
            return RequestStatus.AWAITING_CONFIRMATION
        if all(run.held_at for run in runs):
            return RequestStatus.ON_HOLD
        if all(run.held_at or run.waits_on_customer for run in runs):
            return RequestStatus.WAITING_ON_CUSTOMER
        return RequestStatus.OPEN

    def must_be_done(self, request):
        """Completed means that every last stage was done, never that the relay lost its way."""
        done = {run.stage_key for run in request.runs if run.state == RunState.COMPLETED}
        stages = request.definition.stages
        waited_for = {key for stage in stages for key in stage.after}
        assert {stage.key for stage in stages} - waited_for <= done
        assert not any(follow_up.state == FollowUpState.ASKED for follow_up in request.follow_ups)

    async def look(self):
        async with self.database.reading() as session:
            requests = (await session.exec(select(ServiceRequest).options(*REQUEST_OPTIONS))).all()
            messages = (await session.exec(select(Message))).all()
            people = (await session.exec(select(StaffMember))).all()
        return requests, messages, {person.id for person in people if person.disabled_at}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_nothing_is_dropped_or_sent_twice_in_random_histories(
    settings, seed_rows, migrated_file, tmp_path
):
    run_histories(
        AnyDay, 20, settings=settings, seed_rows=seed_rows, blank=migrated_file, folder=tmp_path
    )
