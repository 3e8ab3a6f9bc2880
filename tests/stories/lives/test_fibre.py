"""Two fibre lines: one with a visit that is moved, one withdrawn while the landowner is asked."""

import pytest

from portal.operations import CustomerDetails
from tests.stories.lives.conftest import NewLife

pytestmark = pytest.mark.either_database

GWEN = CustomerDetails("Gwen Jones", "+447700900188", timezone="Europe/London", locale="en-GB")
OMAR = CustomerDetails("Omar Reid", "+447700900199", timezone="Europe/London", locale="en-GB")


async def test_line_works_after_a_moved_visit(new_life: NewLife) -> None:
    life = new_life(GWEN, "Gwen's fibre line, from the order to a line that works")

    await life.opens("Tue 3 Jun 15:00", "Grace", "fibre-installation", title="Fibre, 12 Mill Lane")
    await life.staff("Wed 4 Jun 10:00", "Grace", "advance")
    await life.staff("Wed 4 Jun 14:00", "Tom", "handoff/accept")
    await life.staff("Tue 10 Jun 15:00", "Tom", "advance")
    await life.staff("Tue 10 Jun 15:05", "Tom", "handoff/accept")
    await life.texts("Wed 11 Jun 18:00", "Any news?")
    await life.staff("Mon 23 Jun 11:00", "Tom", "advance", note="The farm has agreed.")
    await life.staff("Tue 24 Jun 08:00", "Gareth", "handoff/accept")
    await life.staff(
        "Wed 25 Jun 09:00", "Gareth", "hold",
        reason="The road is closed for a race.", until="Mon 30 Jun 09:00",
    )  # fmt: skip
    await life.until("Mon 30 Jun 12:00")
    await life.staff("Thu 3 Jul 15:00", "Gareth", "advance")
    await life.staff("Thu 3 Jul 15:10", "Gareth", "handoff/accept")
    await life.texts("Thu 3 Jul 19:00", "Monday at 10")
    await life.texts("Fri 4 Jul 12:00", "Sorry, can we make it Tuesday 2 pm instead?")
    await life.until("Mon 7 Jul 19:00")
    await life.staff("Tue 8 Jul 13:40", "Gareth", "visit/on-the-way")
    await life.staff("Tue 8 Jul 15:40", "Gareth", "advance")
    await life.staff("Tue 8 Jul 16:30", "Grace", "handoff/accept")
    await life.staff("Wed 9 Jul 10:00", "Grace", "advance")
    await life.until("Thu 10 Jul 12:00")
    await life.texts("Thu 10 Jul 18:30", "No, it drops out every few minutes")
    await life.staff(
        "Fri 11 Jul 09:00", "Grace", "messages",
        body="Sorry, a port was set wrongly. It is right now. Please restart the box once.",
    )  # fmt: skip
    await life.staff("Fri 11 Jul 09:05", "Grace", "advance")
    await life.until("Sat 12 Jul 12:00")
    await life.presses("Sat 12 Jul 15:00", "yes")
    await life.until("Fri 1 Aug 10:00")
    life.transcript.check("gwens_fibre.txt")


async def test_line_is_withdrawn_while_the_landowner_is_asked(new_life: NewLife) -> None:
    life = new_life(OMAR, "Omar's fibre line, withdrawn")

    await life.opens("Tue 3 Jun 15:00", "Grace", "fibre-installation")
    await life.staff("Wed 4 Jun 10:00", "Grace", "advance")
    await life.staff("Wed 4 Jun 14:00", "Tom", "handoff/accept")
    await life.staff("Tue 10 Jun 15:00", "Tom", "advance")
    await life.staff("Tue 10 Jun 15:05", "Tom", "handoff/accept")
    await life.texts("Thu 26 Jun 18:00", "How much longer?")
    await life.withdraws("Thu 26 Jun 18:10", "I cannot wait that long.")
    await life.texts("Thu 26 Jun 18:20", "Do I owe you anything?")
    await life.staff("Fri 27 Jun 09:00", "Tom", "messages", body="No, nothing at all.")
    await life.until("Fri 1 Aug 10:00")
    life.transcript.check("omars_fibre.txt")
