"""A month of Martin's card application with Kept.

He applied for a credit card by phone, and nothing came for a month: somewhere between telesales,
card processing and the courier there was a broken link that nobody saw. Here it is told three
times, at the bank's real hours. Nobody errs; the courier goes silent; card processing never takes
it up. Whatever drops comes before the right person by name, Martin hears before he asks, and it
ends with his card and his YES.
"""

from datetime import time

import httpx2
import pytest
import time_machine

from portal.operations import Operations
from portal.settings import Settings
from portal.settings.types import QuietHours
from tests.stories.month_scenario import MonthScenario
from tests.support.twilio_client import TwilioClient

pytestmark = pytest.mark.either_database


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Nobody is texted at night."""
    return settings.model_copy(update={"quiet_hours": QuietHours(time(21), time(8))})


@pytest.fixture
async def bank(
    clock: time_machine.Traveller,
    operations: Operations,
    api: httpx2.AsyncClient,
    twilio: TwilioClient,
) -> MonthScenario:
    bank = MonthScenario(operations, clock, api, twilio)
    await bank.seed()
    return bank


async def test_month_without_failures(bank: MonthScenario) -> None:
    """Then Martin hears of each step as it happens, or by its date, and has nothing to ask."""
    await bank.open_request("Tue 3 Jun 10:00")
    await bank.at("Tue 3 Jun 13:00", "tess", "advance")
    await bank.at("Tue 3 Jun 15:00", "uma", "handoff/accept")
    await bank.at("Wed 4 Jun 11:00", "uma", "advance")
    await bank.at("Wed 4 Jun 14:00", "pia", "handoff/accept")
    await bank.at("Fri 6 Jun 16:00", "pia", "advance")
    await bank.at("Fri 6 Jun 17:00", "cleo", "handoff/accept")
    await bank.at("Sat 7 Jun 11:00", "cleo", "third-party", event="Parcel in Newark")
    await bank.at("Mon 9 Jun 15:00", "cleo", "advance")
    await bank.at("Mon 9 Jun 16:00", "cleo", "advance")
    await bank.martin_texts("Mon 9 Jun 19:30", "Yes, thank you!")
    await bank.advance_to("Thu 3 Jul 10:00")

    bank.phone_shows(
        ("Tue 3 Jun 10:00", "Hi Martin, we have your application. Next by Tue 3 Jun, 2 pm."),
        ("Tue 3 Jun 13:48", "Passed to Underwriting. They start by Tue 3 Jun, 5 pm."),
        ("Tue 3 Jun 15:00", "your application is being checked. Next step by Wed 4 Jun."),
        ("Wed 4 Jun 14:00", "your card is being made. It leaves by Mon 9 Jun."),
        ("Fri 6 Jun 17:00", "your card is on its way. It should arrive by Tue 10 Jun."),
        ("Mon 9 Jun 15:00", "the courier tells us your card has been delivered."),
        ("Mon 9 Jun 16:00", "Has your card arrived? Reply YES or NO."),
        ("Mon 9 Jun 19:30", "Wonderful, thank you for telling us, Martin."),
    )
    assert await bank.balls() == []
    assert await bank.ended() == ("completed", "Mon 9 Jun 19:30")


async def test_month_with_a_silent_courier(bank: MonthScenario) -> None:
    """Then Cleo, who sent it out, must look, then her lead; and Martin has a new date in time."""
    await bank.open_request("Tue 3 Jun 10:00")
    await bank.at("Tue 3 Jun 13:00", "tess", "advance")
    await bank.at("Tue 3 Jun 15:00", "uma", "handoff/accept")
    await bank.at("Wed 4 Jun 11:00", "uma", "advance")
    await bank.at("Wed 4 Jun 14:00", "pia", "handoff/accept")
    await bank.at("Fri 6 Jun 16:00", "pia", "advance")
    await bank.at("Fri 6 Jun 17:00", "cleo", "handoff/accept")

    # Two working days without a word of the courier: before Cleo, then Carl, who leads her, then
    # Mona. Martin, who expects his card on Tuesday, hears on Tuesday that it will not come.
    await bank.advance_to("Mon 9 Jun 17:00")
    assert await bank.balls() == [("Mon 9 Jun 17:00", "third_party_silent", "Cleo")]
    await bank.advance_to("Tue 10 Jun 11:00")
    assert await bank.balls() == [("Mon 9 Jun 17:00", "third_party_silent", "Carl")]
    await bank.advance_to("Wed 11 Jun 15:00")
    assert await bank.balls() == [
        ("Mon 9 Jun 17:00", "third_party_silent", "Mona"),
        ("Wed 11 Jun 10:00", "stage_overdue", "Carl"),
    ]
    # Kept gives one new date of its own; when that will not hold either, Carl gives his word.
    await bank.at(
        "Wed 11 Jun 15:00", "carl", "delay",
        expected_by=bank.moment("Mon 16 Jun 18:00"),
        reason="The courier had mislaid your parcel. They bring it on Monday",
    )  # fmt: skip
    raised = await bank.balls()

    answer = await bank.martin_texts("Thu 12 Jun 20:00", "Where is my card?")
    assert (
        "With you by Mon 16 Jun, we expect. Your card is on its way to you. Cleo finishes by"
        in answer
    )
    assert await bank.balls() == raised, "all that had slipped was before somebody by then"

    await bank.at("Fri 13 Jun 10:00", "cleo", "third-party", event="Found: parcel in Newark")
    await bank.at("Mon 16 Jun 14:00", "cleo", "advance")
    await bank.at("Mon 16 Jun 15:00", "cleo", "advance")
    await bank.martin_texts("Mon 16 Jun 20:00", "YES")
    await bank.advance_to("Thu 3 Jul 10:00")

    bank.phone_shows(
        ("Tue 3 Jun 10:00", "Hi Martin, we have your application. Next by Tue 3 Jun, 2 pm."),
        ("Tue 3 Jun 13:48", "Passed to Underwriting. They start by Tue 3 Jun, 5 pm."),
        ("Tue 3 Jun 15:00", "your application is being checked. Next step by Wed 4 Jun."),
        ("Wed 4 Jun 14:00", "your card is being made. It leaves by Mon 9 Jun."),
        ("Fri 6 Jun 17:00", "your card is on its way. It should arrive by Tue 10 Jun."),
        ("Mon 9 Jun 17:00", "Courier Desk is still on it. Next step by Tue 10 Jun."),
        ("Tue 10 Jun 15:45", "Sorry: now Wed 11 Jun, not Tue 10 Jun. It is still with the"),
        (
            "Wed 11 Jun 11:45",
            "Sorry, we are late again. Carl will write to you by Wed 11 Jun, 3:45",
        ),
        (
            "Wed 11 Jun 15:00",
            "Sorry: now Mon 16 Jun, not Wed 11 Jun. The courier had mislaid your",
        ),
        ("Thu 12 Jun 20:00", "Your card is on its way to you."),
        (
            "Mon 16 Jun 08:00",
            "Courier Desk is on it. DHL: Found: parcel in Newark. Next by Mon 16 Jun, 6 pm.",
        ),
        ("Mon 16 Jun 14:00", "the courier tells us your card has been delivered."),
        ("Mon 16 Jun 15:00", "Has your card arrived? Reply YES or NO."),
        ("Mon 16 Jun 20:00", "Wonderful, thank you for telling us, Martin."),
    )
    assert await bank.standing() == 0
    assert await bank.ended() == ("completed", "Mon 16 Jun 20:00")


async def test_month_with_an_unaccepted_handoff(bank: MonthScenario) -> None:
    """Then Uma still has it, Pia must act, and Mona does at last; Martin is never left guessing."""
    await bank.open_request("Tue 3 Jun 10:00")
    await bank.at("Tue 3 Jun 13:00", "tess", "advance")
    await bank.at("Tue 3 Jun 15:00", "uma", "handoff/accept")
    await bank.at("Wed 4 Jun 11:00", "uma", "advance")

    # The broken link: nobody at Card Processing takes it up. Four hours on it is before Pia, who
    # leads there, the next morning before Mona, and Uma owns it all the while.
    await bank.advance_to("Wed 4 Jun 15:00")
    assert await bank.balls() == [("Wed 4 Jun 15:00", "handoff_unaccepted", "Pia")]
    await bank.advance_to("Thu 5 Jun 09:00")
    assert await bank.balls() == [("Wed 4 Jun 15:00", "handoff_unaccepted", "Mona")]
    assert await bank.owner() == "Uma"

    answer = await bank.martin_texts("Thu 12 Jun 19:00", "Where is my card?")
    assert "Uma at Underwriting will answer you by Fri 13 Jun, 1 pm." in answer
    assert await bank.balls() == [
        ("Wed 4 Jun 15:00", "handoff_unaccepted", "Mona"),
        ("Mon 9 Jun 14:45", "promise_due", "Mona"),
        ("Mon 9 Jun 15:00", "stage_overdue", "Mona"),
    ]

    await bank.at("Fri 13 Jun 09:00", "mona", "handoff/accept")
    await bank.at("Fri 13 Jun 09:00", "mona", "assign", owner="paul@acme.example")
    await bank.at(
        "Fri 13 Jun 09:05", "mona", "messages",
        body="Dear Martin, nobody had taken it up here. I am sorry. Paul makes your card now.",
    )  # fmt: skip
    assert await bank.owner() == "Paul"
    assert await bank.standing() == 1, "Card Processing is late by its own clock until it is done"
    await bank.at("Tue 17 Jun 14:00", "paul", "advance")
    await bank.at("Tue 17 Jun 15:00", "cleo", "handoff/accept")
    await bank.at("Wed 18 Jun 12:00", "cleo", "third-party", event="Parcel in Newark")
    await bank.at("Fri 20 Jun 10:00", "cleo", "advance")
    await bank.at("Fri 20 Jun 11:00", "cleo", "advance")
    await bank.martin_texts("Fri 20 Jun 19:00", "Yes!")
    await bank.advance_to("Thu 3 Jul 10:00")

    bank.phone_shows(
        ("Tue 3 Jun 10:00", "Hi Martin, we have your application. Next by Tue 3 Jun, 2 pm."),
        ("Tue 3 Jun 13:48", "Passed to Underwriting. They start by Tue 3 Jun, 5 pm."),
        ("Tue 3 Jun 15:00", "your application is being checked. Next step by Wed 4 Jun."),
        ("Wed 4 Jun 15:00", "Martin, Card Processing has not started yet. Uma is on it."),
        ("Mon 9 Jun 10:45", "Sorry, we are late again. Pia will write to you by Mon 9 Jun, 2:45"),
        ("Thu 12 Jun 10:45", "Martin, Card Processing has not started yet. Uma is on it."),
        ("Thu 12 Jun 19:00", "Uma at Underwriting will answer you by Fri 13 Jun, 1 pm."),
        ("Fri 13 Jun 09:00", "your card is being made. It leaves by Wed 18 Jun."),
        ("Fri 13 Jun 09:05", "nobody had taken it up here. I am sorry. Paul makes your card now."),
        ("Tue 17 Jun 15:00", "your card is on its way. It should arrive by Sat 21 Jun."),
        ("Fri 20 Jun 10:00", "the courier tells us your card has been delivered."),
        ("Fri 20 Jun 11:00", "Has your card arrived? Reply YES or NO."),
        ("Fri 20 Jun 19:00", "Wonderful, thank you for telling us, Martin."),
    )
    assert await bank.standing() == 0
    assert await bank.ended() == ("completed", "Fri 20 Jun 19:00")
