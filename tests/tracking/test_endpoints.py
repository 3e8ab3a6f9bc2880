"""The customer's pages through HTTP: what each says, to whom, and what changes nothing."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from html import unescape

import httpx2
import pytest
import time_machine
from sqlalchemy.exc import OperationalError
from starlette.applications import Starlette

from portal.models import Channel, Direction, MessageKind, MessageStatus, ServiceRequest
from portal.operations import (
    accept,
    advance,
    replace_link,
    revoke_link,
    run_due_follow_ups,
    set_preferences,
    write_to_customer,
)
from portal.tracking.status_page.cache import StatusPageCache
from tests.support.factories import MARTIN, Organisation

pytestmark = pytest.mark.either_database

NO_LINK = "/r/AAAAAAAAAAAAAAAAAAAAAA"


def link(request: ServiceRequest) -> str:
    assert request.live_link
    return f"/r/{request.live_link.token}"


def read(answer: httpx2.Response) -> str:
    """The page's text as it is read, without the head."""
    text = unescape(re.sub(r"<[^>]+>", " ", answer.text.split("<body>", 1)[1]))
    return re.sub(r"\s+([.,;:])", r"\1", re.sub(r"\s+", " ", text))


async def at_question(organisation: Organisation, request: ServiceRequest) -> ServiceRequest:
    """All stages done, and the customer asked whether it arrived."""
    people = organisation.people
    await organisation.run(advance, request, by=people.tess.actor)
    for person in (people.uma, people.pia, people.carl):
        await organisation.run(accept, request, by=person.actor)
        await organisation.run(advance, request, by=person.actor)
    await organisation.run(advance, request, by=people.carl.actor)
    return await organisation.run(run_due_follow_ups, request, by=people.carl.actor)


# --- the page ---------------------------------------------------------------------------------


async def test_page_shows_current_and_next_step(
    client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    page = await client.get(link(card_request))
    assert page.status_code == 200
    words = read(page)
    assert "We have your application, Martin" in words
    assert "Telesales has it since today" in words
    assert "Next Your application is being checked by" in words
    assert card_request.reference in words
    assert "Miller" not in page.text
    assert "+1415" not in page.text


async def test_milestone_waits_for_acceptance(
    client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    await organisation.run(advance, card_request, by=organisation.people.tess.actor)
    words = read(await client.get(link(card_request)))
    assert "Passed to Underwriting today" in words
    assert "they take it up by" in words
    assert "Until they do, Telesales still looks after it." in words
    assert "We have your application, Martin" in words
    await organisation.run(accept, card_request, by=organisation.people.uma.actor)
    words = read(await client.get(link(card_request)))
    assert "Your application is being checked, Martin" in words
    assert "Underwriting has it since today" in words


async def test_page_is_private_and_gzipped(
    client: httpx2.AsyncClient, card_request: ServiceRequest
) -> None:
    gzipped = await client.get(link(card_request), headers={"Accept-Encoding": "gzip"})
    plain = await client.get(link(card_request), headers={"Accept-Encoding": "identity"})
    assert gzipped.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert gzipped.text == plain.text
    assert int(gzipped.headers["Content-Length"]) < int(plain.headers["Content-Length"])
    for answer in (gzipped, plain):
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["X-Robots-Tag"] == "noindex"
        assert answer.headers["Vary"] == "Accept-Encoding"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


async def test_link_preview_names_only_the_brand(
    client: httpx2.AsyncClient, card_request: ServiceRequest
) -> None:
    page = (await client.get(link(card_request))).text
    assert re.findall(r'property="og:(\w+)" content="([^"]*)"', page) == [
        ("title", "Acme Bank"),
        ("description", "Follow your request"),
    ]


async def test_head_has_no_body(client: httpx2.AsyncClient, card_request: ServiceRequest) -> None:
    for path in ("", "/live"):
        answer = await client.head(link(card_request) + path)
        assert answer.status_code == 200
        assert answer.content == b""


async def test_get_changes_nothing(
    client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    before, told = (
        await organisation.events(card_request),
        await organisation.outbound_messages(card_request),
    )
    for path in ("", "/preferences"):
        assert (await client.get(link(card_request) + path)).status_code == 200
    assert (await client.get("/")).status_code == 200
    now = await organisation.reload(card_request)
    assert (now.version, now.page_version) == (card_request.version, card_request.page_version)
    assert await organisation.events(card_request) == before
    assert await organisation.outbound_messages(card_request) == told


async def test_unknown_and_revoked_links_look_the_same(
    client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """Byte for byte, on each path; nobody learns that there was something once."""
    revoked = link(card_request)
    assert (await client.get(revoked)).status_code == 200
    await organisation.run(revoke_link, card_request, by=organisation.people.tess.actor)
    for path in ("", "/live", "/preferences"):
        answers = [await client.get(one + path) for one in (revoked, NO_LINK, "/r/%00", "/r/é")]
        assert {answer.status_code for answer in answers} == {404}
        assert len({answer.content for answer in answers}) == 1
        assert len({tuple(answer.headers.items()) for answer in answers}) == 1
    for path, form in (
        ("/messages", {"body": "Hello?"}),
        ("/answers", {"follow_up": "1", "answer": "yes"}),
        ("/preferences", {"do": "stop_all"}),
    ):
        answers = [await client.post(one + path, data=form) for one in (revoked, NO_LINK)]
        assert {answer.status_code for answer in answers} == {404}
        assert len({answer.content for answer in answers}) == 1


async def test_replaced_link_opens_by_its_new_token_only(
    client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """The kept page names its own link, so it is never shown under another."""
    old = link(card_request)
    await client.get(old)
    now = await organisation.run(replace_link, card_request, by=organisation.people.tess.actor)
    assert (await client.get(old)).status_code == 404
    page = await client.get(link(now))
    assert f'action="{link(now)}/messages"' in page.text
    assert old not in page.text


# --- kept -------------------------------------------------------------------------------------


@pytest.fixture
def kept(app: Starlette) -> StatusPageCache:
    pages: StatusPageCache = app.state.status_pages
    return pages


async def test_page_is_cached_until_it_changes(
    client: httpx2.AsyncClient,
    kept: StatusPageCache,
    organisation: Organisation,
    card_request: ServiceRequest,
) -> None:
    first = await client.get(link(card_request))
    assert (await client.get(link(card_request))).text == first.text
    assert kept.render_count == 1
    await organisation.run(advance, card_request, by=organisation.people.tess.actor)
    assert (await client.get(link(card_request))).text != first.text
    assert kept.render_count == 2


async def test_internal_change_keeps_the_cache(
    client: httpx2.AsyncClient,
    kept: StatusPageCache,
    organisation: Organisation,
    card_request: ServiceRequest,
) -> None:
    await client.get(link(card_request))
    await organisation.run(
        revoke_link,
        await organisation.open(by=organisation.people.tess.actor),
        by=organisation.people.tess.actor,
    )
    await client.get(link(card_request))
    assert kept.render_count == 1


async def test_cache_expires_when_wording_changes_with_time(
    clock: time_machine.Traveller,
    client: httpx2.AsyncClient,
    kept: StatusPageCache,
    organisation: Organisation,
    card_request: ServiceRequest,
) -> None:
    """Four hours were promised; a second before, the page holds, and then it says so."""
    on_time = read(await client.get(link(card_request)))
    clock.shift(timedelta(hours=4, seconds=-1))
    assert read(await client.get(link(card_request))) == on_time
    assert kept.render_count == 1
    clock.shift(timedelta(seconds=1))
    late = read(await client.get(link(card_request)))
    assert kept.render_count == 2
    assert "This takes longer than we said. We said 2 pm." in late
    clock.move_to(datetime(2025, 6, 4, 4, 0, tzinfo=UTC))
    assert "since yesterday, 10 am" in read(await client.get(link(card_request)))


async def test_concurrent_misses_render_once(
    client: httpx2.AsyncClient, kept: StatusPageCache, card_request: ServiceRequest
) -> None:
    answers = await asyncio.gather(*(client.get(link(card_request)) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert kept.render_count == 1


async def test_language_change_renders_another_page(
    client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """The customer chose it on the page of another request, whose version alone has grown."""
    other = await organisation.open(by=organisation.people.tess.actor)
    assert '<html lang="en"' in (await client.get(link(card_request))).text
    await organisation.run(set_preferences, other, by=organisation.people.tess.actor, locale="es")
    assert '<html lang="es"' in (await client.get(link(card_request))).text


async def test_cache_stays_within_its_bytes(
    app: Starlette, organisation: Organisation, card_request: ServiceRequest
) -> None:
    other = await organisation.open(by=organisation.people.tess.actor)
    one, two = link(card_request)[3:], link(other)[3:]
    pages = StatusPageCache(app.state.settings, app.state.database, max_bytes=30_000)
    try:
        for token in (one, two, one, one, two):
            assert await pages.get_page(token)
        assert pages.render_count == 4
    finally:
        await pages.close()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_unavailable_database_shows_the_outage_page(
    client: httpx2.AsyncClient, kept: StatusPageCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(token: str) -> None:
        raise OperationalError(token, None, OSError("gone"))

    monkeypatch.setattr(kept._reader, "find_version", away)
    answer = await client.get(NO_LINK)
    assert answer.status_code == 503
    assert "We cannot show your request at this moment" in read(answer)


# --- writing ----------------------------------------------------------------------------------


async def test_customer_message_is_shown_with_promise(
    client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    words = "Will it come to my <old> address? 🙂"
    answer = await client.post(f"{link(card_request)}/messages", data={"body": words})
    assert answer.status_code == 303
    path, _, place = answer.headers["Location"].partition("#")
    assert path == link(card_request)
    page = await client.get(path)
    assert f'id="{place}" class="me"' in page.text
    said = read(page)
    assert words in said
    assert "Tess will answer you by" in said
    assert "Thank you, Martin. Telesales has your message and will answer by" in said
    assert (await organisation.reload(card_request)).unanswered_since


async def test_staff_reply_is_shown_at_once_without_consent_to_texts(
    client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    await client.post(f"{link(card_request)}/preferences", data={"do": "stop_all"})
    await organisation.run(
        write_to_customer, card_request, "It will, Martin.", by=organisation.people.tess.actor
    )
    [message] = [
        m for m in await organisation.outbound_messages(card_request) if m.kind == MessageKind.STAFF
    ]
    assert message.status == MessageStatus.SUPPRESSED
    assert "It will, Martin. Tess, on this page" in read(await client.get(link(card_request)))


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("", "Please write something first."),
        (" \n\x00 ", "Please write something first."),
        ("long " * 20_000, "That is too long to send: please keep it under 1,600 letters."),
    ],
    ids=["empty", "blank", "100 kB"],
)
async def test_rejected_message_is_shown_again_with_the_reason(
    client: httpx2.AsyncClient,
    organisation: Organisation,
    card_request: ServiceRequest,
    body: str,
    sentence: str,
) -> None:
    answer = await client.post(f"{link(card_request)}/messages", data={"body": body})
    assert answer.status_code == 422
    assert sentence in read(answer)
    typed = re.search(r"<textarea[^>]*>(.*?)</textarea>", answer.text, re.DOTALL)
    assert typed
    assert typed[1].strip() == body.replace("\x00", "").strip()
    assert (await organisation.reload(card_request)).page_version == card_request.page_version


async def test_nul_characters_are_removed(
    client: httpx2.AsyncClient, card_request: ServiceRequest
) -> None:
    await client.post(f"{link(card_request)}/messages", data={"body": "one\x00two"})
    assert "onetwo" in read(await client.get(link(card_request)))


async def test_body_over_one_megabyte_is_rejected(
    client: httpx2.AsyncClient, card_request: ServiceRequest
) -> None:
    answer = await client.post(f"{link(card_request)}/messages", data={"body": "x" * 1_100_000})
    assert answer.status_code == 413


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 303),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "null"}, 303),
        ({"Sec-Fetch-Site": "none"}, 303),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site", "Origin": "http://testserver"}, 403),
        ({"Origin": "http://testserver"}, 303),
        ({"Origin": "null"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "http://testserver.evil.example"}, 403),
    ],
)
async def test_form_from_another_origin_is_rejected(
    client: httpx2.AsyncClient,
    organisation: Organisation,
    card_request: ServiceRequest,
    headers: dict[str, str],
    status: int,
) -> None:
    for path, form in (("/messages", {"body": "Hello"}), ("/preferences", {"do": "stop_all"})):
        answer = await client.post(link(card_request) + path, data=form, headers=headers)
        assert answer.status_code == status
    if status == 403:
        assert "This form was sent from another site" in read(answer)
        assert (await organisation.reload(card_request)).page_version == card_request.page_version


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_rate_limited_message_is_kept_in_the_form(
    client: httpx2.AsyncClient, card_request: ServiceRequest
) -> None:
    for _ in range(20):
        assert (
            await client.post(f"{link(card_request)}/messages", data={"body": "?"})
        ).status_code == 303
    answer = await client.post(f"{link(card_request)}/messages", data={"body": "Hello?"})
    assert answer.status_code == 429
    assert ">Hello?</textarea>" in answer.text


# --- answering --------------------------------------------------------------------------------


async def ask_form(client: httpx2.AsyncClient, request: ServiceRequest) -> dict[str, str]:
    """What the buttons of the page would send."""
    page = (await client.get(link(request))).text
    asked = re.search(r'name="follow_up" value="(\d+)"', page)
    assert asked
    return {"follow_up": asked[1]}


async def test_only_the_customers_yes_completes_the_request(
    client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    await at_question(organisation, card_request)
    form = await ask_form(client, card_request)
    page = read(await client.get(link(card_request)))
    assert "Has your card arrived? Only you can say when it is done. Yes No" in page
    assert "Reply YES" not in page
    answer = await client.post(f"{link(card_request)}/answers", data={**form, "answer": "yes"})
    assert (answer.status_code, answer.headers["Location"]) == (303, link(card_request))
    assert (await organisation.reload(card_request)).status == "completed"
    words = read(await client.get(link(card_request)))
    assert "All done, Martin" in words
    assert "You confirmed it today" in words


async def test_no_sends_the_request_back_to_an_owner(
    client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    await at_question(organisation, card_request)
    form = await ask_form(client, card_request)
    await client.post(f"{link(card_request)}/answers", data={**form, "answer": "no"})
    assert (await organisation.reload(card_request)).status == "open"
    words = read(await client.get(link(card_request)))
    assert "Your card is on its way to you, Martin" in words
    assert "Courier Desk · once more" in words


async def test_double_submit_answers_once(
    client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """The same answer again is thanked with the page; another one is too late, and says so."""
    await at_question(organisation, card_request)
    form = await ask_form(client, card_request)
    path = f"{link(card_request)}/answers"
    for _ in range(2):
        answer = await client.post(path, data={**form, "answer": "yes"})
        assert answer.status_code == 303
    events = [event.kind for event in await organisation.events(card_request)]
    assert events.count("question_answered") == 1
    other = await client.post(path, data={**form, "answer": "no"})
    assert other.status_code == 409
    assert "This question has been answered already. Thank you." in read(other)
    assert (await organisation.reload(card_request)).status == "completed"


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"answer": "maybe"}, "Please answer with yes or no."),
        ({"follow_up": "999999", "answer": "yes"}, "That question is not on this page."),
        ({"follow_up": "one", "answer": "yes"}, "That question is not on this page."),
        ({"answer": "yes", "words": "long " * 400}, "That is too long to send"),
    ],
)
async def test_invalid_answer_changes_nothing(
    client: httpx2.AsyncClient,
    organisation: Organisation,
    card_request: ServiceRequest,
    form: dict[str, str],
    sentence: str,
) -> None:
    asked = await at_question(organisation, card_request)
    form = {**await ask_form(client, card_request), **form}
    answer = await client.post(f"{link(card_request)}/answers", data=form)
    assert answer.status_code == 422
    assert sentence in read(answer)
    assert (await organisation.reload(card_request)).version == asked.version


async def test_foreign_question_cannot_be_answered(
    client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    other = await organisation.open(by=organisation.people.tess.actor)
    await at_question(organisation, card_request)
    form = await ask_form(client, card_request)
    answer = await client.post(f"{link(other)}/answers", data={**form, "answer": "yes"})
    assert answer.status_code == 422
    assert (await organisation.reload(card_request)).status == "awaiting_confirmation"


# --- preferences ------------------------------------------------------------------------------


async def test_customer_chooses_channel_and_language(
    client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    path = f"{link(card_request)}/preferences"
    page = (await client.get(path)).text
    assert "•••• 32" in page
    assert "m•••@e•••" in page
    assert "0132" not in page
    assert "example.com" not in page
    answer = await client.post(path, data={"do": "save", "channel": "email", "locale": "en"})
    assert answer.status_code == 303
    assert "Saved." in read(await client.get(answer.headers["Location"]))
    assert (await organisation.reload(card_request)).customer.preferred_channel == Channel.EMAIL


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"do": "save", "channel": "pigeon"}, "We have no such address of yours."),
        ({"do": "save", "locale": "xx"}, "We do not write in that language yet."),
        ({"do": "dance"}, "Please press one of the buttons."),
    ],
)
async def test_invalid_preference_changes_nothing(
    client: httpx2.AsyncClient,
    organisation: Organisation,
    card_request: ServiceRequest,
    form: dict[str, str],
    sentence: str,
) -> None:
    answer = await client.post(f"{link(card_request)}/preferences", data=form)
    assert answer.status_code == 422
    assert sentence in read(answer)
    assert (await organisation.reload(card_request)).page_version == card_request.page_version


async def test_customer_opts_out_and_in_again(
    client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    path = f"{link(card_request)}/preferences"
    for wish, sentence, way in (
        ("stop_this", "We do not text you about this request.", Channel.EMAIL),
        ("stop_all", "We do not write to you at all.", None),
        ("start_all", "Stop texting about this request Stop all texts", Channel.SMS),
    ):
        assert (await client.post(path, data={"do": wish})).status_code == 303
        assert sentence in read(await client.get(path))
        await organisation.run(
            write_to_customer, card_request, "News.", by=organisation.people.tess.actor
        )
        newest = (await organisation.outbound_messages(card_request))[-1]
        assert way == (newest.channel if newest.status == MessageStatus.QUEUED else None)


# --- finding it again -------------------------------------------------------------------------


async def links_sent(organisation: Organisation) -> list[tuple[str, str]]:
    return [
        (message.channel.value, message.to_address)
        for message in await organisation.messages()
        if message.kind == MessageKind.LINK and message.direction == Direction.OUT
    ]


@pytest.mark.parametrize(
    ("contact", "to"),
    [
        ("+14155550132", ("sms", MARTIN.phone)),
        ("(415) 555-0132", ("sms", MARTIN.phone)),
        (" Martin@Example.com ", ("email", MARTIN.email)),
    ],
)
@pytest.mark.usefixtures("clock")  # both within the same five minutes
async def test_link_is_sent_to_the_address_on_record(
    client: httpx2.AsyncClient,
    organisation: Organisation,
    card_request: ServiceRequest,
    contact: str,
    to: tuple[str, str],
) -> None:
    written = card_request.reference.lower().replace("-", " ")
    for _ in range(2):
        answer = await client.post("/", data={"reference": written, "contact": contact})
        assert answer.status_code == 200
    assert await links_sent(organisation) == [to]
    sent = (await organisation.messages())[-1]
    assert f"http://testserver{link(card_request)}" in sent.body


async def test_unknown_request_gets_the_same_response(
    client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """Same bytes, and no sooner: neither tells who our customers are."""
    loop, pages, times = asyncio.get_running_loop(), set(), []
    for reference, contact in (
        (card_request.reference, "+14155550132"),
        (card_request.reference, "+14155550199"),
        ("CARD-2222-222", "+14155550132"),
        ("nonsense", "mary@example.com"),
    ):
        began = loop.time()
        answer = await client.post("/", data={"reference": reference, "contact": contact})
        times.append(loop.time() - began)
        pages.add((answer.status_code, answer.content))
    assert len(pages) == 1
    assert min(times) >= 0.25
    assert await links_sent(organisation) == [("sms", MARTIN.phone)]


async def test_revoked_link_is_replaced_on_request(
    client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    await organisation.run(revoke_link, card_request, by=organisation.people.tess.actor)
    form = {"reference": card_request.reference, "contact": "martin@example.com"}
    await client.post("/", data=form)
    now = await organisation.reload(card_request)
    assert link(now) != link(card_request)
    assert (await client.get(link(now))).status_code == 200
    assert (await client.get(link(card_request))).status_code == 404


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_missing_field_is_named_and_input_is_kept(
    client: httpx2.AsyncClient, organisation: Organisation
) -> None:
    answer = await client.post("/", data={"reference": "CARD-<1>", "contact": ""})
    assert answer.status_code == 422
    assert "Please tell us both" in read(answer)
    assert 'value="CARD-&lt;1&gt;"' in answer.text
    answer = await client.post("/", data={"reference": "CARD-1", "contact": "me"})
    assert "the mobile number or the e-mail address that we have" in read(answer)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_find_request_is_rate_limited(
    client: httpx2.AsyncClient, organisation: Organisation
) -> None:
    form = {"reference": "CARD-2222-222", "contact": "+14155550132"}
    answers = await asyncio.gather(*(client.post("/", data=form) for _ in range(11)))
    assert sorted(answer.status_code for answer in answers) == [200] * 10 + [429]


async def test_wrong_method_on_a_page_is_405(
    client: httpx2.AsyncClient, card_request: ServiceRequest
) -> None:
    assert (await client.put(link(card_request))).status_code == 405
    assert (await client.get(f"{link(card_request)}/messages")).status_code == 405
