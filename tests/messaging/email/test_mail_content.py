"""What a mail says: what has happened, why, who has the request, what is next, in the brand's look."""

import re
import struct
from dataclasses import replace
from datetime import timedelta

import httpx2
import pytest
from time_machine import Traveller

from portal.branding.color import Accent
from portal.branding.theme import Logo, Theme
from portal.models import SYSTEM_ACTOR, Channel, ServiceRequest
from portal.operations import (
    CustomerDetails,
    accept,
    advance,
    announce_delay,
    cancel,
    hold,
    resume,
    run_due_follow_ups,
    set_preferences,
)
from portal.settings import Settings
from tests.messaging.email.letters import LETTER, letter_of, parts
from tests.messaging.email.mail_server import Mail, MailServer, reply
from tests.messaging.wording.test_collection import KETTLE
from tests.operations.test_question_fields import QUOTED, put_quote
from tests.support.customer_device import link, verify_device
from tests.support.factories import CARD, MARTIN, Organisation
from tests.support.workflows import GARAGE

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00\x00\x00\rIHDR" + struct.pack(">II", 64, 32) + b"\x08\x06"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A bank with its own colour and logo."""
    look = {
        "accent": Accent.read("#7a1f5c,#f0a0d0"),
        "logo": Logo(PNG, "image/png", 2.0, "abc"),
    }
    return settings.model_copy(update=look)


@pytest.fixture
async def repair(
    clock: Traveller, server: MailServer, organisation: Organisation
) -> ServiceRequest:
    """A repair of a customer who wants mail, whose first text has gone."""
    ben = {"by": organisation.people.ben.actor}
    request = await organisation.open("repair", **ben)
    await organisation.run(set_preferences, request, preferred_channel=Channel.EMAIL, **ben)
    await server.deliver()
    return request


async def last(server: MailServer) -> Mail:
    return (await server.deliver())[-1]


def both_parts(mail: Mail) -> tuple[str, str]:
    return mail.text or "", mail.html or ""


async def test_hold_and_ending_have_their_headline_and_reason(
    server: MailServer, organisation: Organisation, repair: ServiceRequest
) -> None:
    """In the subject, at the top of the mail, and in both parts."""
    ben = {"by": organisation.people.ben.actor}
    reason = "The part comes from Japan. " * 6
    await organisation.run(hold, repair, reason=reason, **ben)
    mail = await last(server)
    assert mail.subject == "Your request is on hold: Device repair"
    for part in both_parts(mail):
        assert "Your request is on hold" in part
        assert "The part comes from Japan." in part
        assert "See why" not in part
    await organisation.run(resume, repair, **ben)
    await last(server)
    await organisation.run(cancel, repair, reason="You asked for it.", **ben)
    mail = await last(server)
    assert mail.subject == "Your request has been cancelled: Device repair"
    assert (mail.text or "").count("You asked for it.") == 1


async def test_mail_of_a_withdrawn_request_has_no_reason(
    client: httpx2.AsyncClient,
    clock: Traveller,
    server: MailServer,
    organisation: Organisation,
) -> None:
    """The customer gave it; what staff read of it is no sentence for them."""
    await organisation.load(
        CARD.replace('prefix = "CARD"', 'prefix = "CARD"\ncustomer_may_cancel_until = "decision"')
    )
    tess = {"by": organisation.people.tess.actor}
    card = await organisation.open("card", **tess)
    await verify_device(client, organisation, card, "withdraw")
    await organisation.run(set_preferences, card, preferred_channel=Channel.EMAIL, **tess)
    data = {"do": "withdraw", "reason": "I found another card."}
    assert (await client.post(f"{link(card)}/withdraw", data=data)).status_code == 303
    mail = await last(server)
    assert mail.subject.startswith("Your request has been cancelled")
    for part in both_parts(mail):
        assert "Withdrawn by the customer" not in part
        assert "I found another card." not in part


async def test_mail_says_where_to_collect(
    clock: Traveller, server: MailServer, organisation: Organisation
) -> None:
    """Once, whatever the text had room for."""
    await organisation.load(KETTLE)
    mona = {"by": organisation.people.mona.actor}
    kettle = await organisation.open("kettle", **mona)
    await organisation.run(set_preferences, kettle, preferred_channel=Channel.EMAIL, **mona)
    await server.deliver()
    await organisation.run(cancel, kettle, reason="No spare parts.", **mona)
    mail = await last(server)
    text, html = both_parts(mail)
    assert " ".join(text.split()).count("Mon-Fri 9 am-6 pm") == 1
    assert "Mon-Fri 9 am-6 pm" in html


async def test_question_is_the_subject_and_the_price_is_in_the_mail(
    server: MailServer, organisation: Organisation, repair: ServiceRequest
) -> None:
    ben = {"by": organisation.people.ben.actor}
    await organisation.run(advance, repair, note="£95 for the screen", **ben)
    await organisation.run(run_due_follow_ups, repair, **ben)
    mail = await last(server)
    assert mail.subject.endswith("Shall we go ahead?")
    for part in both_parts(mail):
        assert "£95 for the screen." in part


async def test_mail_has_each_answer_of_the_page(
    client: httpx2.AsyncClient, clock: Traveller, server: MailServer, organisation: Organisation
) -> None:
    """Also that something is wrong; each leads to its button, and a reply may quote them."""
    carl = {"by": organisation.people.carl.actor}
    card = await organisation.open("card", **carl)
    await organisation.run(set_preferences, card, preferred_channel=Channel.EMAIL, **carl)
    while card.open_runs:
        if any(handoff.is_pending for handoff in card.handoffs):
            card = await organisation.run(accept, card, by=SYSTEM_ACTOR)
        card = await organisation.run(advance, card, by=SYSTEM_ACTOR)
    clock.shift(timedelta(days=9))
    await organisation.run(run_due_follow_ups, card, by=SYSTEM_ACTOR)
    mail = await last(server)
    assert "Has your card arrived?" in mail.subject
    labels = dict(re.findall(r'href="[^"]+#(answer-\w+)"[^>]*>([^<]+)</a>', mail.html or ""))
    assert labels == {
        "answer-yes": "Yes",
        "answer-wrong": "Yes, but something is wrong",
        "answer-no": "No",
    }
    page = (await client.get(link(card))).text
    for anchor, label in labels.items():
        assert f'id="{anchor}"' in page
        assert f"{label}: http" in (mail.text or "")


async def test_mail_about_a_price_names_it_on_its_answer(
    api: httpx2.AsyncClient, server: MailServer, organisation: Organisation
) -> None:
    """A reply that quotes the answer says nothing by it."""
    await organisation.load(QUOTED)
    ben = {"by": organisation.people.ben.actor}
    repair = await organisation.open("quoted", **ben)
    await organisation.run(set_preferences, repair, preferred_channel=Channel.EMAIL, **ben)
    await put_quote(api, organisation, repair)
    mail = await last(server)
    for part in both_parts(mail):
        assert "Yes, go ahead for $89" in part
    assert await server.receive(reply(mail, "What does that include?")) == 204
    assert (await organisation.reload(repair)).open_question is not None


async def test_mail_says_who_has_it_what_is_next_and_its_steps(
    clock: Traveller, server: MailServer, organisation: Organisation
) -> None:
    """The text part and the HTML part agree; times are dates."""
    tess = {"by": organisation.people.tess.actor}
    card = await organisation.open("card", **tess)
    await organisation.run(set_preferences, card, preferred_channel=Channel.EMAIL, **tess)
    await server.deliver()
    due_at = card.opened_at + timedelta(days=3)
    await organisation.run(announce_delay, card, expected_by=due_at, reason="Snow", **tess)
    mail = await last(server)
    assert mail.subject == "There is a new date: Credit card"
    text, html = both_parts(mail)
    for part in (text, html):
        assert "Tess at Telesales has your request." in part
        assert "Next, by Fri 6 Jun: Your application is being checked." in part
        assert "Your timeline" in part
    assert "- We have your application: now" in text.replace("\r\n", "\n")
    assert "- Your card is being made: to come" in text.replace("\r\n", "\n")
    assert html.count("<li>") == text.count("\n- ")


async def test_date_of_our_part_is_no_date_of_the_customers(
    server: MailServer, organisation: Organisation
) -> None:
    """The mail says what the customer does next, and no day: ours is the one by which we are done."""
    await organisation.load(GARAGE)
    gwen = CustomerDetails("Gwen Jones", email="gwen@mail.example")
    await organisation.open("garage", gwen, by=organisation.people.cora.actor)
    for part in both_parts((await server.deliver("gwen@mail.example"))[-1]):
        assert "Next: We are waiting for your drawings." in part
        assert "Next, by" not in part


async def test_mail_has_the_accent_and_the_logo_and_no_other_picture(
    server: MailServer, organisation: Organisation, repair: ServiceRequest
) -> None:
    await organisation.run(hold, repair, reason="A part.", by=organisation.people.ben.actor)
    html = (await last(server)).html or ""
    assert "#7a1f5c" in html
    assert "#f0a0d0" in html, "in dark mode"
    assert "#0b5f5a" not in html
    assert html.count("<img") == 1
    assert '<img src="http://testserver/logo?v=abc" alt="Acme Bank" width="64" height="32">' in html


async def test_answers_and_carriers_have_the_accent(
    server: MailServer, organisation: Organisation, repair: ServiceRequest
) -> None:
    """The first answer is a filled button, the others and the carriers' links have its colour."""
    ben = {"by": organisation.people.ben.actor}
    await organisation.run(advance, repair, **ben)
    await organisation.run(run_due_follow_ups, repair, **ben)
    html = (await last(server)).html or ""
    styles = re.findall(r'#answer-\w+" style="([^"]+)"', html)
    assert len(styles) > 1
    assert "background:#7a1f5c;color:#ffffff;" in styles[0]
    assert all(";color:#7a1f5c;" in style and "background" not in style for style in styles[1:])
    assert not re.search(r"\{[{%]", html)
    parcel = replace(LETTER, parcel_links=(("DHL, number JD0146", "https://carrier.example/1"),))
    _, page = parts(letter_of(parcel, theme=Theme(accent=Accent.read("#7a1f5c"))))
    assert 'nofollow" style="color:#7a1f5c">DHL' in page


async def test_spanish_mail_is_spanish_and_keeps_the_accent_of_a_name(
    clock: Traveller, server: MailServer, organisation: Organisation
) -> None:
    customer = replace(MARTIN, name="María Soto", locale="es")
    card = await organisation.open("card", customer, by=SYSTEM_ACTOR)
    await organisation.run(set_preferences, card, preferred_channel=Channel.EMAIL, by=SYSTEM_ACTOR)
    await server.deliver()
    await organisation.run(hold, card, reason="Falta la nómina", by=SYSTEM_ACTOR)
    mail = await last(server)
    assert mail.subject.startswith("Su solicitud está en pausa: ")
    assert "María, su solicitud queda en pausa por ahora.\r\n" in (mail.text or "")
    assert "Falta la nómina." in (mail.text or "")
    assert "lleva su solicitud." in (mail.text or "")


async def test_link_is_never_taken_out_of_half_a_sentence(
    server: MailServer, organisation: Organisation
) -> None:
    """The whole sentence says that the rest is on the page."""
    tess = {"by": organisation.people.tess.actor}
    text = "{brand}: {first_name}, your visit is booked. What to prepare: {link}"
    visit = CARD.replace('title = "We have', f'sms = "{text}"\ntitle = "We have', 1)
    await organisation.load(visit.replace('key = "card"', 'key = "prepared"'))
    by_mail = replace(MARTIN, phone="")
    await organisation.open("prepared", by_mail, **tess)
    mail = await last(server)
    for part in both_parts(mail):
        assert "your visit is booked. What to prepare: on your page." in part
