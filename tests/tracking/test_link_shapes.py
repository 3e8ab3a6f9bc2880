"""A link as it arrives: with what a phone takes into it, and after what staff write around it."""

import httpx2
import pytest

from portal.models import Channel, ServiceRequest
from portal.operations import revoke_link
from tests.support.factories import Organisation
from tests.tracking.page_requests import link, read

pytestmark = pytest.mark.either_database

UNKNOWN = "/r/AAAAAAAAAAAAAAAAAAAAAA"
AROUND = [
    ")", ".", ",", "%20", "%E2%80%8B", ").", ".%20Thanks", "%3E", "%22", "%E2%80%9D", "%C2%A0",
    "%EF%BB%BF", "%00", "'s", "!", "*", "_", "STOP",
]  # fmt: skip


@pytest.mark.parametrize("after", AROUND)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_characters_after_the_token_lead_to_the_page(
    after: str, method: str, client: httpx2.AsyncClient, card_request: ServiceRequest
) -> None:
    answer = await client.request(method, f"{link(card_request)}{after}")
    assert (answer.status_code, answer.headers["location"]) == (303, link(card_request))
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"].startswith(("no-store", "private"))


async def test_characters_before_the_token_lead_to_the_page(
    client: httpx2.AsyncClient, card_request: ServiceRequest
) -> None:
    for before in ("%20", "%E2%80%8B", "(", "%3C"):
        answer = await client.get(f"/r/{before}{link(card_request)[3:]}")
        assert (answer.status_code, answer.headers["location"]) == (303, link(card_request))


@pytest.mark.parametrize("query", ["?utm_source=x&fbclid=y", "?", "?gclid=%20%00"])
async def test_parameters_of_others_change_nothing(
    query: str, client: httpx2.AsyncClient, card_request: ServiceRequest
) -> None:
    answer = await client.get(f"{link(card_request)}{query}")
    assert answer.status_code == 200
    assert "We have your application, Martin" in read(answer)


@pytest.mark.parametrize("after", ["", ")", "x", "%20"])
async def test_unknown_and_revoked_links_stay_unknown(
    after: str,
    client: httpx2.AsyncClient,
    organisation: Organisation,
    card_request: ServiceRequest,
) -> None:
    await organisation.run(revoke_link, card_request, by=organisation.people.tess.actor)
    for path in (UNKNOWN, link(card_request), link(card_request)[:-1]):
        assert (await client.get(f"{path}{after}")).status_code == 404


@pytest.mark.parametrize(
    ("words", "sent"),
    [
        ("Your page ({}).", "Your page ({} )."),
        ("See {}, please.", "See {} , please."),
        ("<{}>", "<{} >"),
        ("{}\u200bThanks", "{} Thanks"),
        ("{}Thanks", "{} Thanks"),
        ("Your page: {}", "Your page: {}"),
        ("{} is your page.\n{}\nThanks", "{} is your page.\n{}\nThanks"),
        ("{}/preferences", "{}/preferences"),
        ("[link].", "{} ."),
    ],
)
@pytest.mark.parametrize("channel", [Channel.SMS, Channel.EMAIL])
async def test_link_in_a_colleague_s_message_ends_with_a_space(
    channel: Channel,
    words: str,
    sent: str,
    api: httpx2.AsyncClient,
    organisation: Organisation,
    card_request: ServiceRequest,
) -> None:
    url = f"http://testserver{link(card_request)}"
    body = {"body": words.replace("{}", url), "channels": [channel.value]}
    answer = await api.post(f"/requests/{card_request.reference}/messages", json=body)
    assert answer.status_code == 201, answer.text
    message = (await organisation.messages())[-1]
    assert message.body.replace("\u200b", "") == sent.replace("{}", url)
