"""Priya's phone: a quote accepted, a repair that does not hold, and a second quote declined."""

import pytest

from portal.operations import CustomerDetails
from tests.stories.lives.conftest import NewLife

pytestmark = pytest.mark.either_database

PRIYA = CustomerDetails("Priya Shah", "+447700900123", timezone="Europe/London", locale="en-GB")


async def test_second_quote_is_declined(new_life: NewLife) -> None:
    life = new_life(PRIYA, "Priya's phone, repaired, brought back and collected")

    await life.opens("Tue 3 Jun 15:05", "Dora", "device-repair", title="iPhone 13, cracked screen")
    await life.staff("Tue 3 Jun 16:00", "Dora", "advance")
    await life.staff("Wed 4 Jun 09:00", "Mei", "handoff/accept")
    await life.staff("Wed 4 Jun 15:00", "Mei", "advance", fields={"amount": "£140"})
    await life.texts("Wed 4 Jun 15:40", "Is VAT included?")
    await life.texts("Wed 4 Jun 15:42", "go ahead")
    await life.staff("Wed 4 Jun 16:10", "Dora", "messages", body="Yes, VAT is included.")
    await life.texts("Wed 4 Jun 16:15", "YES")
    await life.staff("Thu 5 Jun 09:30", "Mei", "handoff/accept")
    await life.staff(
        "Thu 5 Jun 16:00", "Mei", "delay",
        expected_by="Wed 11 Jun 17:00", reason="The new screen comes on Tuesday.",
    )  # fmt: skip
    await life.texts("Mon 9 Jun 12:00", "Can you call me tomorrow after 3pm?")
    await life.staff(
        "Tue 10 Jun 15:20", "Mei", "contacts",
        channel="call", reason="question", note="She asked whether her data is safe. It is.",
    )  # fmt: skip
    await life.staff("Wed 11 Jun 11:00", "Mei", "advance")
    await life.staff("Wed 11 Jun 11:30", "Ibrahim", "handoff/accept")
    await life.staff("Wed 11 Jun 15:00", "Ibrahim", "advance")
    await life.texts("Wed 11 Jun 19:00", "Great. Until when are you open tomorrow?")
    await life.staff("Thu 12 Jun 09:10", "Dora", "messages", body="Until 6 pm.")
    await life.staff("Thu 12 Jun 17:30", "Dora", "advance")
    await life.until("Thu 12 Jun 18:00")

    await life.texts("Sat 14 Jun 19:00", "No, the speaker crackles now")
    await life.staff("Mon 16 Jun 09:00", "Mei", "handoff/accept")
    await life.staff(
        "Mon 16 Jun 10:30", "Dora", "messages", body="Sorry about that. Mei looks at it right now."
    )
    await life.staff("Mon 16 Jun 14:00", "Mei", "advance", fields={"amount": "£60"})
    await life.presses("Mon 16 Jun 18:00", "no")
    await life.texts("Mon 16 Jun 18:02", "When can I collect it?")
    await life.staff("Tue 17 Jun 09:10", "Dora", "messages", body="Any day until 6 pm.")
    await life.until("Thu 3 Jul 10:00")
    life.transcript.check("priyas_phone.txt")
