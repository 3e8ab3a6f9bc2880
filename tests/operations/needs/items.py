"""A permit for which the customer sends plans, and the form that sends them."""

from portal.operations import advance
from tests.support.sample_images import PDF
from tests.support.workflows import DRAWINGS, ITEM
from tests.tracking.page_requests import link, read

REASON = "Sheet A-2 lacks the fire wall rating. Please add it and send the sheet again."
PAPER = [("file", ("plans.pdf", PDF, "application/pdf"))]


async def at_drawings(organisation, items=ITEM):
    """Martin's garage, for which the counter waits for these items."""
    await organisation.load(DRAWINGS.format(items=items))
    request = await organisation.open("garage", by=organisation.people.cora.actor)
    return await organisation.run(advance, request, by=organisation.people.cora.actor)


async def send_plans(client, request, **form):
    """Send a file by the form of the page; gives the words of the page that follows."""
    answer = await client.post(f"{link(request)}/messages", data=form, files=PAPER)
    assert answer.status_code == 303, answer.text
    return read(await client.get(link(request)))
