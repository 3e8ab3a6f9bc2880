"""A parcel that the customer picks up: what the page asks of them."""

import pytest

from tests.operations.third_parties.test_events import headline_of, page_of
from tests.support.desk_client import visible_text

pytestmark = pytest.mark.either_database


async def test_page_asks_the_customer_to_pick_up_what_is_ready(client, report, parcel):
    await report(number="JD014", code="available_for_pickup", place="Newark")
    page = await page_of(client, parcel)
    assert headline_of(page).startswith("Ready for you to pick up, Newark")
    assert "Please pick it up from DHL." in page
    assert "There is nothing that you need to do" not in page


async def test_customer_who_picks_up_and_has_written_reads_that_we_have_the_message(
    client, report, parcel
):
    await report(number="JD014", code="available_for_pickup", place="Newark")
    form = {"body": "Which papers do I need?"}
    await client.post(f"/r/{parcel.live_link.token}/messages", data=form)
    page = visible_text(await page_of(client, parcel))
    assert page.index("We have your message and will answer it.") < page.index("Please pick it up")
    assert "nothing else that you need to do" not in page
