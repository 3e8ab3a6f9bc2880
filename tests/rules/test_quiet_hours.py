"""Automatic messages wait for the end of quiet hours; answers and urgent messages do not."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from portal.jobs import JobQueue
from portal.live import LiveUpdates
from portal.models import (
    CUSTOMER_ACTOR,
    SYSTEM_ACTOR,
    Channel,
    ContactChannel,
    ContactReason,
    MessageKind,
)
from portal.operations import (
    CustomerDetails,
    Operations,
    advance,
    hold,
    log_contact,
    make_promise,
    receive_text,
    replace_link,
    run_due_follow_ups,
    set_preferences,
    write_to_customer,
)
from portal.settings import Settings
from tests.support.factories import CARD, MARTIN, REPAIR

pytestmark = pytest.mark.either_database

HOURS = Settings(_env_file=None, KEPT_QUIET_HOURS="21:00-08:00")
NIGHT = datetime.fromisoformat("2025-06-03T23:00:00-04:00")
MORNING = datetime.fromisoformat("2025-06-04T08:00:00-04:00")


@pytest.fixture
def organisation(organisation, settings, database):
    """The house with quiet hours from nine to eight, for texts and mails."""
    told = {"quiet_hours": HOURS.quiet_hours, "mail_quiet_hours": HOURS.mail_quiet_hours}
    organisation.operations = Operations(
        settings.model_copy(update=told), database, JobQueue(None), LiveUpdates(None)
    )
    return organisation


@pytest.fixture
async def evening(clock, organisation):
    """Martin's card, opened in the afternoon; then it is eleven at night where he lives."""
    card = await organisation.open(by=organisation.people.tess.actor)
    clock.move_to(NIGHT)
    return card


async def text(organisation, body):
    """Martin texts us."""
    await organisation.run_unbound(
        receive_text, sid=f"SM{body}", sender=MARTIN.phone, to="+15005550006", body=body,
        by=CUSTOMER_ACTOR,
    )  # fmt: skip


async def last(organisation, request):
    return (await organisation.outbound_messages(request))[-1]


@pytest.mark.parametrize(
    ("hours", "zone", "now", "until"),
    [
        ("21:00-08:00", "America/New_York", "2025-06-03T22:30-04:00", "2025-06-04T08:00-04:00"),
        ("21:00-08:00", "America/New_York", "2025-06-03T03:00-04:00", "2025-06-03T08:00-04:00"),
        ("21:00-08:00", "America/New_York", "2025-06-03T21:00-04:00", "2025-06-04T08:00-04:00"),
        ("21:00-08:00", "America/New_York", "2025-06-03T08:00-04:00", None),
        ("21:00-08:00", "America/New_York", "2025-06-03T20:59-04:00", None),
        ("00:30-06:00", "America/New_York", "2025-06-03T00:00-04:00", None),
        ("00:30-06:00", "America/New_York", "2025-06-03T00:30-04:00", "2025-06-03T06:00-04:00"),
        ("21:00-08:00", "Asia/Kolkata", "2025-06-03T22:30+00:00", "2025-06-04T08:00+05:30"),
        # The night in which clocks go forward, and the one in which they go back.
        ("21:00-08:00", "America/New_York", "2025-03-08T23:00-05:00", "2025-03-09T08:00-04:00"),
        ("21:00-08:00", "America/New_York", "2025-11-01T23:00-04:00", "2025-11-02T08:00-05:00"),
        # They end in the hour that there is not: as long after midnight as on any other day.
        ("21:00-02:30", "America/New_York", "2025-03-09T01:00-05:00", "2025-03-09T03:30-04:00"),
        ("21:00-02:30", "America/New_York", "2025-03-09T03:15-04:00", "2025-03-09T03:30-04:00"),
        ("21:00-02:30", "America/New_York", "2025-03-09T03:30-04:00", None),
        # They end in the hour that comes twice: when it has come for the second time.
        ("21:00-01:30", "America/New_York", "2025-11-02T01:20-04:00", "2025-11-02T01:30-05:00"),
        ("21:00-01:30", "America/New_York", "2025-11-02T01:40-04:00", "2025-11-02T01:30-05:00"),
        ("21:00-01:30", "America/New_York", "2025-11-02T01:10-05:00", "2025-11-02T01:30-05:00"),
        ("21:00-01:30", "America/New_York", "2025-11-02T01:30-05:00", None),
        # They begin in the hour that comes twice: when it comes for the first time.
        ("01:30-08:00", "America/New_York", "2025-11-02T01:10-05:00", "2025-11-02T08:00-05:00"),
        ("01:30-08:00", "America/New_York", "2025-11-02T01:10-04:00", None),
    ],
)
def test_quiet_hours_are_in_the_customers_time_zone(hours, zone, now, until):
    """By the clock on their wall, and never shorter than written when that clock is changed."""
    quiet = Settings(_env_file=None, KEPT_QUIET_HOURS=hours).quiet_hours
    ends = quiet.until(datetime.fromisoformat(now), ZoneInfo(zone))
    assert ends == (until and datetime.fromisoformat(until))


async def test_automatic_message_at_night_waits_for_the_morning(organisation, evening):
    """A hold, a promise, the first text about a new request: nobody is woken by them."""
    await organisation.run(hold, evening, reason="Wait.", by=SYSTEM_ACTOR)
    await organisation.run(make_promise, evening, text="A call.", due_at=MORNING, by=SYSTEM_ACTOR)
    second = await organisation.open("repair", by=SYSTEM_ACTOR)
    waiting = (await organisation.outbound_messages(evening))[
        1:
    ] + await organisation.outbound_messages(second)
    assert {message.kind for message in waiting} >= {
        MessageKind.HOLD, MessageKind.PROMISE, MessageKind.MILESTONE,
    }  # fmt: skip
    assert {message.due_at for message in waiting} == {MORNING}


async def test_answer_ignores_quiet_hours(organisation, evening):
    """They are awake: they have just written."""
    await text(organisation, "Where is my card?")
    assert (await last(organisation, evening)).due_at == NIGHT


async def test_first_link_waits_and_a_requested_link_does_not(clock, organisation, client):
    """Where no stage tells anything the opening's own text waits; "find my request" answers."""
    quiet = CARD.replace('key = "card"', 'key = "quiet"').replace(
        'key = "received"', 'key = "received"\nmilestone = false'
    )
    await organisation.load(quiet)
    clock.move_to(NIGHT)
    request = await organisation.open("quiet", by=SYSTEM_ACTOR)
    assert (await last(organisation, request)).due_at == MORNING
    found = await client.post(
        "/", data={"reference": request.reference, "contact": MARTIN.phone},
        headers={"Origin": "http://testserver"},
    )  # fmt: skip
    assert found.status_code == 200
    assert (await last(organisation, request)).due_at == NIGHT


@pytest.mark.parametrize("verb", [write_to_customer, replace_link])
@pytest.mark.parametrize(
    ("wrote", "waits"),
    [
        (timedelta(minutes=10), False),
        (timedelta(hours=3), False),
        (timedelta(hours=9), True),
        (None, True),
    ],
)
async def test_staff_reply_is_sent_at_night_and_a_new_topic_in_the_morning(
    clock, organisation, evening, *, verb, wrote, waits
):
    """Who wrote in the last hours still waits up; whom staff address by themselves is asleep."""
    if wrote is not None:
        clock.move_to(NIGHT - wrote)
        await text(organisation, "May I change the address?")
        clock.move_to(NIGHT)
    words = {"body": "Yes, of course."} if verb is write_to_customer else {}
    await organisation.run(verb, evening, by=organisation.people.tess.actor, **words)
    assert (await last(organisation, evening)).due_at == (MORNING if waits else NIGHT)


async def test_recent_caller_is_texted_at_night(organisation, evening):
    """A call that staff wrote down counts like a text."""
    tess = organisation.people.tess.actor
    await organisation.run(
        log_contact, evening, channel=ContactChannel.CALL, reason=ContactReason.CHANGE, by=tess
    )
    await organisation.run(write_to_customer, evening, "As I said: it is done.", by=tess)
    assert (await last(organisation, evening)).due_at == NIGHT


async def test_quiet_hours_resume_after_the_answer(clock, organisation, evening):
    """The second thought of staff, hours after the answer, waits."""
    clock.move_to(NIGHT - timedelta(hours=3))
    await text(organisation, "May I change the address?")
    tess = organisation.people.tess.actor
    await organisation.run(write_to_customer, evening, "Yes, of course.", by=tess)
    clock.move_to(NIGHT)
    await organisation.run(write_to_customer, evening, "And one more thing.", by=tess)
    assert [message.due_at for message in (await organisation.outbound_messages(evening))[-2:]] == [
        NIGHT - timedelta(hours=3), MORNING,
    ]  # fmt: skip


@pytest.mark.parametrize("urgent", [True, False])
async def test_api_may_mark_a_message_urgent(organisation, evening, api, app, urgent):
    """`POST /requests/{reference}/messages` takes `urgent`: it goes whatever the hour."""
    app.state.operations.settings = organisation.operations.settings
    told = await api.post(
        f"/requests/{evening.reference}/messages",
        json={"body": "The courier is at your door.", "urgent": urgent},
    )
    assert told.status_code == 201, told.text
    message = await last(organisation, evening)
    assert (message.urgent, message.due_at) == (urgent, NIGHT if urgent else MORNING)


async def test_urgent_stage_ignores_quiet_hours(clock, organisation):
    """`urgent = true` in the workflow file is for its milestone and for its own question."""
    alarm = REPAIR.replace('key = "repair"', 'key = "alarm"').replace(
        "[[stages]]\n", "[[stages]]\nurgent = true\n", 2
    )
    await organisation.load(alarm)
    clock.move_to(NIGHT)
    request = await organisation.open("alarm", by=SYSTEM_ACTOR)
    await organisation.run(advance, request, by=organisation.people.ben.actor)
    await organisation.run(run_due_follow_ups, request, by=SYSTEM_ACTOR)
    told = await organisation.outbound_messages(request)
    assert [message.kind for message in told] == ["milestone", "milestone", "follow_up"]
    assert {message.due_at for message in told} == {NIGHT}


async def test_email_has_its_own_quiet_hours(organisation, evening, database):
    """`KEPT_MAIL_QUIET_HOURS=off`: a mail lies there until they look."""
    told = organisation.operations.settings.model_copy(update={"mail_quiet_hours": None})
    organisation.operations = Operations(told, database, JobQueue(None), LiveUpdates(None))
    await organisation.run(
        set_preferences, evening, preferred_channel=Channel.EMAIL, by=CUSTOMER_ACTOR
    )
    await organisation.run(hold, evening, reason="Wait.", by=SYSTEM_ACTOR)
    message = await last(organisation, evening)
    assert (message.channel, message.due_at) == (Channel.EMAIL, NIGHT)


@pytest.mark.parametrize(
    ("phone", "given", "zone"),
    [
        ("+14155550132", None, "America/Los_Angeles"),
        ("+919812345678", None, "Asia/Calcutta"),
        ("+14155550132", "Europe/Berlin", "Europe/Berlin"),
        ("+18005550132", None, "America/New_York"),  # toll-free: it may be anywhere
        ("+61412345678", None, "America/New_York"),  # a mobile of a land with several zones
        (None, None, "America/New_York"),
    ],
)
async def test_time_zone_follows_the_phone_number(organisation, phone, given, zone):
    """The zone given, else the number's where there is but one, else the workflow's."""
    customer = CustomerDetails("Nora New", phone=phone, timezone=given)
    request = await organisation.open(customer=customer, by=SYSTEM_ACTOR)
    assert request.customer.timezone == zone
