"""How messages greet: by the given name where it is sure, else without a name."""

from typing import Any

import httpx2
import pytest

from portal.models import Message, MessageStatus
from portal.operations import write_to_customer
from tests.messaging.email.mail_server import MailServer
from tests.support.factories import Organisation
from tests.tracking.page_requests import read

LATIN = [
    ("Martin Miller", "en", "Hi Martin."),
    ("Dr. Anna Roth", "en", "Hi Anna."),
    ("Prof. Dr. Anna Roth", "en", "Hi Anna."),
    ("Miller, Martin", "en", "Hi Martin."),
    ("Martin Miller, Jr.", "en", "Hi Martin."),
    ("Abdul Rahman Khan", "en", "Hi Abdul Rahman."),
    ("Abd al-Rahman Khan", "en", "Hi Abd al-Rahman."),
    ("Nur al-Din Zangi", "en", "Hi Nur al-Din."),
    ("Null", "en", "Hi Null."),
    ("Zoë 🦊 O'Brien", "en", "Hi Zoe."),
    ("李小龍", "en", "Hi 李小龍."),
    ("X Æ A-12", "en", "Hi X."),
    ("Martin (Marty) Miller 2", "en", "Hi Martin."),
    ("Don Johnson", "en", "Hi Don."),
    ("Jean-Pierre Blanc", "en", "Hi Jean-Pierre."),
    ("Mar\u200btin Miller", "en", "Hi Martin."),
    ("María José García", "es", "Hola Maria José."),
    ("José Ortega Ruiz", "es", "Hola José."),
    ("María de los Ángeles Ruiz", "es", "Hola Maria de los Angeles."),
    ("Sra. María del Río", "es", "Hola Maria."),
]
ARABIC = [
    ("عبد الرحمن محمد", "عبد الرحمن،"),
    ("د. عبد الرحمن محمد", "عبد الرحمن،"),
    ("أبو بكر الصديق", "أبو بكر،"),
    ("سيف الدين خالد", "سيف الدين،"),
    ("ليلى حسن", "ليلى،"),
    ("عبد", "We have your application."),
    ("السيدة حسن", "We have your application."),
]
UNSURE = [
    "Mrs O\u2019Brien",
    "Dr. Roth",
    "J. Smith",
    "Nguyen Van An",
    "王 小明",
    "Anna and Martin Miller",
    "Miller Plumbing Ltd",
    "The Millers",
    "Abdul",
]
NO_NAMES = [
    "http://evil.example/win Miller",
    "evil.example Miller",
    "www.evil.example",
    "STOP Miller",
    "Stop. Miller",
    "HELP",
    "<b>Martin</b>",
    "*Martin* Miller",
    "{link} Miller",
    "{{ reference }}",
    "+1 900 555 0199",
    "win@evil.example",
    "[Martin](http://evil.example)",
    "M" * 200,
    "Sign in at evil . example",
]


async def first_text(api: httpx2.AsyncClient, organisation: Organisation, **customer: Any) -> str:
    """The text that opens a request; opened by the API."""
    body = {"workflow": "card", "customer": {"phone": "+14155550132", **customer}}
    answer = await api.post("/requests", json=body)
    assert answer.status_code == 201, answer.text
    [text] = await organisation.messages()
    return text.body


@pytest.mark.parametrize(
    ("name", "locale", "greeting"), LATIN + [(name, "ar", greeting) for name, greeting in ARABIC]
)
async def test_text_greets_by_the_given_name(
    name: str, locale: str, greeting: str, api: httpx2.AsyncClient, organisation: Organisation
) -> None:
    text = await first_text(api, organisation, name=name, locale=locale)
    assert f"Acme Bank: {greeting} " in text


@pytest.mark.parametrize("name", UNSURE + NO_NAMES)
async def test_text_greets_without_a_name_that_is_not_sure(
    name: str, api: httpx2.AsyncClient, organisation: Organisation
) -> None:
    """And it is short, and ends with the way out, whatever the name holds."""
    text = await first_text(api, organisation, name=name)
    assert text.startswith("Acme Bank: Hi. We have your application.")
    assert text.endswith(" STOP to end")
    assert text.count("http") == 1
    assert "evil" not in text


@pytest.mark.parametrize("name", ["Dr. Anna Roth", "http://evil.example/win Miller", "STOP Miller"])
async def test_mail_and_page_greet_as_the_text_does(
    name: str,
    api: httpx2.AsyncClient,
    client: httpx2.AsyncClient,
    organisation: Organisation,
    server: MailServer,
) -> None:
    body = {"workflow": "card", "customer": {"name": name, "email": "anna@example.com"}}
    request = (await api.post("/requests", json=body)).json()
    [mail] = await server.deliver("anna@example.com")
    assert ("evil" in mail.header("To"), "Anna" in mail.header("To")) == (False, "Anna" in name)
    given = "Anna" if name.startswith("Dr.") else ""
    assert ("Anna" in mail.text) == bool(given)
    page = read(await client.get(request["status_url"]))
    assert ("We have your application, Anna" in page) == bool(given)
    for part in (mail.text, page):
        assert "evil" not in part
        assert "Dr." not in part


@pytest.mark.parametrize(
    "words", ["Please do not STOP the work.", "STOP", "We had to STOP at the bridge: ice."]
)
async def test_keyword_in_a_colleague_s_words_is_no_way_out(
    words: str, api: httpx2.AsyncClient, organisation: Organisation
) -> None:
    """The first text to a number says how to stop, also where "STOP" is in it already."""
    body = {"workflow": "card", "customer": {"name": "Anna Roth", "email": "anna@example.com"}}
    await api.post("/requests", json=body)
    quiet = await api.post(
        "/requests",
        json={"workflow": "card", "customer": {"name": "Bo Roth", "phone": "+14155550199"}},
    )
    [_, first] = await organisation.messages()
    async with organisation.operations.begin(organisation.people.tess.actor) as uow:
        held = await uow.lock(quiet.json()["reference"])
        message = await uow.session.get_one(Message, first.id)
        message.status = MessageStatus.FAILED
    await organisation.run(
        write_to_customer, held.reference, body=words, by=organisation.people.tess.actor
    )
    assert (await organisation.messages())[-1].body.endswith(f"{words} STOP to end")
