"""Canned replies: suggestions, permissions and their length."""

import re
from html import unescape
from typing import Any

import httpx2
import pytest
from sqlmodel import select

from portal import operations as verbs
from portal.demo.sample_data.canned_replies import SAMPLE_REPLIES
from portal.messaging.sms import segments
from portal.messaging.wording.renderer import fill_template
from portal.models import SYSTEM_ACTOR, CannedReply, ContactChannel, ContactReason, ServiceRequest
from portal.operations.conversation.canned_replies import PLACEHOLDERS, add_canned_reply
from tests.support.desk_client import HTMX, DeskClient, hidden_fields, visible_text
from tests.support.factories import Organisation

pytestmark = pytest.mark.either_database


once = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def keep(organisation: Organisation, title: str, body: str, **more: Any) -> CannedReply:
    async with organisation.operations.begin(SYSTEM_ACTOR) as uow:
        told = {"department_id": None, "reason": ""} | more
        return await add_canned_reply(uow, title=title, body=body, **told)


@once
async def test_matching_canned_replies_are_suggested_with_values(
    desk_clients: Any, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """By why the customer came last; those of other departments and other reasons are not."""
    telesales = card_request.department_id
    await keep(organisation, "General", "Hi {first_name}, {reference} is here.")
    await keep(organisation, "Fits", "{department} has it, {next_by}.", reason="complaint",
               department_id=telesales)  # fmt: skip
    await keep(organisation, "Another reason", "Hello {first_name}", reason="change")
    await keep(organisation, "Elsewhere", "Hello", department_id=telesales + 1)
    tess = await desk_clients("tess")
    page = await tess.page(card_request)
    assert "button quiet" not in page[page.index('class="at-hand"') :].partition("<details")[0]
    await organisation.run(
        verbs.log_contact, card_request, channel=ContactChannel.CALL, reason=ContactReason.COMPLAINT,
        by=organisation.people.tess.actor,
    )  # fmt: skip
    page = await tess.page(card_request)
    at_hand = page[page.index('class="at-hand"') :].partition("</div>")[0]
    suggested, _, rest = at_hand.partition("<details")
    assert visible_text(suggested).split()[-2:] == ["Fits", "General"]
    assert "Another reason" in rest
    assert "Elsewhere" not in page
    url = unescape(re.search(r'href="([^"]+)" data-words="Hi', suggested)[1])  # type: ignore[index]
    drawn = (await tess.get(url.partition("#")[0])).text
    assert f">Hi Martin, {card_request.reference} is here.</textarea>" in drawn
    again = await tess.get(url.partition("#")[0], headers=HTMX)
    assert "is here.</textarea>" not in again.text


@once
async def test_canned_reply_with_missing_value_is_not_offered(
    desk_clients: Any, organisation: Organisation, card_request: ServiceRequest
) -> None:
    await keep(organisation, "Next", "Next: {next} by {next_by}")
    tess = await desk_clients("tess")
    assert "Next: Your application" in unescape(await tess.page(card_request))
    await organisation.run(
        verbs.cancel, card_request, reason="He moved.", by=organisation.people.tess.actor
    )
    assert "Next: " not in (await tess.page(card_request)).partition('for="body"')[0]


async def post_reply(desk: DeskClient, path: str = "", **typed: str) -> httpx2.Response:
    page = (await desk.get("/desk/replies")).text
    told = hidden_fields(page, "/desk/sign-out") | {"reason": ""} | typed
    return await desk.client.post(f"/desk/replies{path}", data=told, headers=HTMX)


async def test_leads_edit_canned_replies_of_their_department(
    desk_clients: Any, organisation: Organisation
) -> None:
    """Written, changed and put away; an unknown field is refused with those that there are."""
    tess = await desk_clients("tess")
    refused = await post_reply(
        tess, title="Hello", body="Hi {name}, “welcome”", department="telesales"
    )
    assert refused.status_code == 422
    assert "There is no field {name}. You can use {first_name}, {reference}" in visible_text(
        refused.text
    )
    assert "Hi {name}, “welcome”</textarea>" in unescape(refused.text)
    kept = await post_reply(
        tess, title="Hello", body="Hi {first_name}, “welcome”", department="telesales"
    )
    assert 'Hi {first_name}, "welcome"' in unescape(kept.text)
    number = re.search(r"/desk/replies/(\d+)/change", kept.text)[1]  # type: ignore[index]
    changed = await post_reply(tess, f"/{number}/change", title="Hello", body="Good day")
    assert "Good day" in changed.text
    gone = await post_reply(tess, f"/{number}/retire")
    assert "None yet." in gone.text
    assert (await post_reply(tess, f"/{number}/retire")).status_code == 404
    async with organisation.database.reading() as session:
        assert (await session.exec(select(CannedReply.written_by))).all() == ["Tess Sales"]


@once
@pytest.mark.parametrize(
    ("who", "department", "status"),
    [
        ("tom", "telesales", 403), ("tess", "everybody", 403), ("tess", "courier", 403),
        ("mona", "everybody", 200), ("mona", "courier", 200), ("ada", "nowhere", 422),
    ],
)  # fmt: skip
async def test_canned_reply_permissions(
    desk_clients: Any, organisation: Organisation, who: str, department: str, status: int
) -> None:
    desk = await desk_clients(who)
    answer = await post_reply(desk, title="Hello", body="Good day", department=department)
    assert answer.status_code == status


def test_each_sample_reply_fits_one_sms() -> None:
    """With the longest of our names and a real link filled in, and only fields that exist."""
    facts = dict.fromkeys(PLACEHOLDERS, "") | {
        "first_name": "Christopher", "reference": "CARD-7K3M-X9Q", "owner": "Ibrahim",
        "department": "Card Processing", "next": "Your card is being made",
        "next_by": "Thu 26 Nov", "link": "https://my.acme.example/r/Zr4VXqfVQqqYb3nJw1yOrA",
    }  # fmt: skip
    for starter in SAMPLE_REPLIES:
        counted = segments.count_segments(fill_template(starter.body, facts))
        assert (counted.segments, list(counted.non_gsm_characters)) == (1, []), starter.title
