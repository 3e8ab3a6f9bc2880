"""Martin's card: from the call to the card in his hands."""

import pytest

from portal.operations import CustomerDetails
from tests.stories.lives.conftest import NewLife

pytestmark = pytest.mark.either_database

MARTIN = CustomerDetails("Martin Miller", "+14155550132", timezone="America/New_York")
PARCEL = {"carrier": "DHL", "number": "JD014600001234"}


async def test_card_arrives_after_a_no(new_life: NewLife) -> None:
    """A handoff is not accepted in time, a courier fails to deliver, and Martin confirms at last."""
    life = new_life(MARTIN, "Martin's card, from the call to the card in his hands")

    await life.opens("Tue 3 Jun 10:00", "Tess", "card-application")
    await life.texts("Tue 3 Jun 10:20", "Thanks! Will it come to my office or to my home?")
    await life.staff("Tue 3 Jun 11:15", "Tess", "messages", body="To your home, 12 Elm Street.")
    await life.texts("Tue 3 Jun 11:16", "ok thanks")
    await life.staff("Tue 3 Jun 13:00", "Tess", "advance")

    # Nobody at Underwriting accepts it by the end of the day.
    await life.texts("Wed 4 Jun 12:30", "What is happening with my card?")
    await life.staff("Wed 4 Jun 14:00", "Uma", "handoff/accept")
    await life.staff(
        "Wed 4 Jun 14:05", "Uma", "promises",
        text="I write to you with the decision.", due_at="Thu 5 Jun 15:00", kind="answer",
    )  # fmt: skip
    await life.staff("Thu 5 Jun 14:00", "Uma", "messages", body="It is approved, congratulations!")
    await life.staff("Thu 5 Jun 14:10", "Uma", "advance")
    await life.staff("Fri 6 Jun 09:00", "Pia", "handoff/accept")
    await life.texts("Sat 7 Jun 11:00", "When will it arrive?")
    await life.staff("Tue 10 Jun 16:00", "Pia", "advance")
    await life.staff("Tue 10 Jun 17:00", "Carl", "handoff/accept")

    await life.carrier("Wed 11 Jun 09:00", code="picked_up", place="Newark", **PARCEL)
    await life.carrier(
        "Thu 12 Jun 19:00", code="at_depot", place="Jersey City",
        estimated_date="2025-06-13", **PARCEL,
    )  # fmt: skip
    await life.carrier("Fri 13 Jun 08:30", code="out_for_delivery", place="Jersey City", **PARCEL)
    await life.carrier("Fri 13 Jun 14:05", code="attempted", description="Nobody home", **PARCEL)
    await life.staff(
        "Fri 13 Jun 15:00", "Carl", "delay",
        expected_by="Sat 14 Jun 13:00",
        reason="DHL found nobody at home. They come again in the morning.",
    )  # fmt: skip
    await life.carrier("Sat 14 Jun 08:30", code="out_for_delivery", place="Jersey City", **PARCEL)
    await life.carrier("Sat 14 Jun 11:00", code="delivered", **PARCEL)
    await life.texts("Sat 14 Jun 12:00", "No it hasn't arrived. I was home all morning!")
    await life.staff(
        "Mon 16 Jun 09:30", "Carl", "messages",
        body="Your neighbour at number 14 took it. DHL brings it to you today.",
    )  # fmt: skip
    await life.carrier("Mon 16 Jun 16:00", code="delivered", **PARCEL)
    await life.presses("Mon 16 Jun 18:30", "wrong")
    await life.writes_on_page("Mon 16 Jun 18:31", "The envelope was torn open.")
    await life.staff(
        "Tue 17 Jun 09:30", "Carl", "messages",
        body="I am sorry. The card is safe to use: it works only with your PIN, which comes apart.",
    )  # fmt: skip
    await life.until("Thu 19 Jun 12:00")
    await life.texts("Thu 19 Jun 18:00", "Yes, all good now, thank you!")
    await life.texts("Thu 19 Jun 18:05", "Thanks!")
    await life.until("Thu 3 Jul 10:00")
    life.transcript.check("martins_card.txt")
