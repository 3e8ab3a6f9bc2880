"""Walter's garage: a permit by e-mail, with drawings that are corrected twice."""

from base64 import b64encode

import pytest

from portal.operations import CustomerDetails
from tests.stories.lives.conftest import NewLife
from tests.support.sample_images import PDF

pytestmark = pytest.mark.either_database

WALTER = CustomerDetails("Walter Boone", email="walter@example.com", timezone="America/Chicago")


async def test_permit_is_issued_after_two_corrections(new_life: NewLife) -> None:
    life = new_life(WALTER, "Walter's garage, from the application to the permit")

    await life.opens("Tue 3 Jun 09:30", "Rosa", "building-permit", title="Garage, 14 Birch Street")
    await life.staff("Tue 3 Jun 14:00", "Rosa", "advance")
    await life.mails("Wed 4 Jun 08:30", "Thanks. Is a hand drawing good enough?")
    await life.staff("Wed 4 Jun 10:00", "Rosa", "messages", body="Yes, if it has all sizes.")
    await life.sends_file("Fri 6 Jun 15:00", "plans.pdf", PDF, need="plans")
    await life.staff(
        "Mon 9 Jun 10:00", "Rosa", "needs/plans/correct", reason="Sheet A-1 has no scale."
    )
    await life.sends_file("Mon 9 Jun 20:00", "plans-2.pdf", PDF + b"%2", need="plans")
    await life.staff("Tue 10 Jun 11:00", "Rosa", "needs/plans/accept")
    await life.staff("Tue 10 Jun 11:05", "Rosa", "advance")
    await life.staff("Wed 11 Jun 10:00", "Rosa", "advance")
    await life.staff("Wed 11 Jun 14:00", "Frank", "handoff/accept", stage="fire-review")
    await life.staff("Wed 11 Jun 15:00", "Lena", "handoff/accept", stage="plans-review")
    await life.mails("Mon 16 Jun 09:00", "How is it going?")
    await life.staff(
        "Tue 17 Jun 10:00", "Frank", "send-back", stage="drawings",
        reason="Sheet A-2 lacks the fire wall rating. Please add it and send the sheet again.",
    )  # fmt: skip
    await life.sends_file("Thu 19 Jun 15:00", "plans-3.pdf", PDF + b"%3")
    await life.staff("Fri 20 Jun 09:00", "Rosa", "advance")
    await life.staff("Fri 20 Jun 09:30", "Rosa", "advance")
    for person, stage in (
        ("Frank", "fire-review"), ("Lena", "plans-review"), ("Lena", "development-review"),
    ):  # fmt: skip
        await life.staff("Mon 23 Jun 09:00", person, "handoff/accept", stage=stage)
    await life.staff("Thu 26 Jun 10:00", "Frank", "advance", stage="fire-review")
    await life.staff("Tue 1 Jul 10:00", "Lena", "advance", stage="plans-review")
    await life.staff("Tue 1 Jul 11:00", "Lena", "advance", stage="development-review")
    await life.staff("Thu 3 Jul 10:00", "Rosa", "advance")
    content = b64encode(PDF + b"%permit").decode()
    await life.staff("Mon 7 Jul 10:00", "Rosa", "documents", name="permit.pdf", content=content)
    await life.staff("Mon 7 Jul 10:05", "Rosa", "advance")
    await life.until("Wed 9 Jul 17:00")
    await life.mails("Wed 9 Jul 18:00", "Yes, I have it. Thank you!")
    await life.until("Fri 1 Aug 10:00")
    life.transcript.check("walters_permit.txt")
