"""Pages, errors and emails are in the language of the customer."""

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from html.parser import HTMLParser
from typing import Any

import httpx2
import pytest

from portal.i18n.lazy_string import LazyString
from portal.models import ServiceRequest
from portal.operations import advance, write_to_customer
from portal.settings import Settings
from tests.support.factories import MARTIN, Organisation
from tests.support.fake_gateways import FakeEmailGateway, deliver_due
from tests.support.status_page.card_page import html
from tests.support.status_page.states import STATES
from workers.delivery.email_letters import build_message_email

pytestmark = pytest.mark.either_database


ARABIC = replace(MARTIN, locale="ar")


READ_ALOUD = ("aria-label", "alt", "title", "placeholder", "data-lost", "data-failed")


def path_of(request: ServiceRequest) -> str:
    assert request.live_link
    return f"/r/{request.live_link.token}"


class Reader(HTMLParser):
    """Reads a page: the words, seen or spoken, that are marked as the page's own language."""

    VOID = frozenset({"meta", "link", "input", "img", "br"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.own: list[str] = []
        self.html: dict[str, str | None] = {}
        self._open: list[tuple[str, bool]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        if tag == "html":
            self.html = told
        away = told.get("lang") not in {None, self.html.get("lang")} or tag in {"style", "script"}
        if tag not in self.VOID:
            self._open.append((tag, away))
        if not away and not self._is_away:
            self.own += [told[name] or "" for name in READ_ALOUD if name in told]
            if told.get("type") == "hidden" and told.get("name") == "body":
                self.own.append(told["value"] or "")

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if data.strip() and not self._is_away:
            self.own.append(data.strip())

    @property
    def _is_away(self) -> bool:
        return any(away for _, away in self._open)


def facts(told: Any) -> Iterator[str]:
    """All that a page was given to show: names, titles, what people wrote."""
    if isinstance(told, LazyString):
        return
    if isinstance(told, str):
        yield told
    elif isinstance(told, tuple):
        for message in told:
            yield from facts(message)
    elif is_dataclass(told) and not isinstance(told, type):
        for field in fields(told):
            yield from facts(getattr(told, field.name))


def english_in(page: str, told: set[str]) -> list[str]:
    """The words of a page in Arabic that are in Latin letters, and that it was not given."""
    left = []
    for words in Reader(page).own:
        for fact in sorted(told, key=len, reverse=True):
            words = words.replace(fact, " ")  # noqa: PLW2901
        left += re.findall(r"[A-Za-z]{2,}", words)
    return [word for word in left if word not in {"PDF", "MB", "QR"}]


@pytest.mark.parametrize("state", STATES)
def test_status_page_is_fully_translated_in_every_state(state: str) -> None:
    page = replace(STATES[state], locale="ar")
    told = {fact for fact in facts(page) if len(fact) > 1} | {page.times.place}
    assert english_in(html(page), told) == []


async def test_no_customer_page_has_untranslated_text(
    client: httpx2.AsyncClient, organisation: Organisation, arabs: ServiceRequest
) -> None:
    """Departments and the workflow of the tests are called in English; those words are given."""
    await organisation.run(advance, arabs, by=organisation.people.tess.actor)
    told = {
        "Acme Bank", "Martin", arabs.reference, arabs.title, "Telesales", "Underwriting", "Tess",
        "Card Processing", "Courier Desk", "testserver", "martin", "example.com", "English",
        "m•••@example.com", *(str(stage.title) for stage in arabs.definition.stages),
    }  # fmt: skip
    base = path_of(arabs)
    for path in ("", "/preferences", "/unsubscribe", "/code", "/mine", "/replace", "/paper"):
        page = await client.get(base + path, follow_redirects=True)
        assert page.status_code == 200, path
        reader = Reader(page.text)
        assert (reader.html["lang"], reader.html["dir"]) == ("ar", "rtl"), path
        assert english_in(page.text, told | {arabs.definition.name}) == [], path


async def test_unknown_visitor_gets_the_browsers_language(
    client: httpx2.AsyncClient,
) -> None:
    asks = {"Accept-Language": "de-CH, ar;q=0.9, en;q=0.8"}
    found = await client.get("/", headers=asks)
    assert '<html lang="ar" dir="rtl">' in found.text
    assert english_in(found.text, {"Acme Bank", "CARD-7K4M-2Q9"}) == []
    for path in ("/r/none", "/nothing/here"):
        page = await client.get(path, headers=asks)
        assert page.status_code == 404
        assert english_in(page.text, {"Acme Bank"}) == []
    assert '<html lang="en"' in (await client.get("/desk/nothing", headers=asks)).text


async def test_visitor_switches_language_by_link(client: httpx2.AsyncClient) -> None:
    """It stays chosen when the form is sent, and nothing is kept of it."""
    english = (await client.get("/")).text
    assert '<a href="?lang=es" lang="es" hreflang="es">Español</a>' in english
    assert 'lang="ar" hreflang="ar">العربية</a>' in english
    assert "¿Dónde está mi solicitud?" in (await client.get("/?lang=es")).text
    assert 'href="/?lang=es"' in (await client.get("/r/none?lang=es")).text
    refused = await client.post("/?lang=es", data={"reference": "", "contact": ""})
    assert refused.status_code == 422
    assert "Escriba el número de móvil o el correo" in refused.text
    assert "set-cookie" not in refused.headers


async def test_customer_changes_the_language_of_page_and_messages(
    client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    """A form with a button for each, by its own name; it needs no script. A GET changes nothing."""
    path = path_of(card_request)
    page = (await client.get(path)).text
    assert f'<form class="tongues" method="post" action="{path}/language">' in page
    assert re.search(r'name="locale" value="es" lang="es"[^>]*>Español</button>', page)
    assert (await client.get(f"{path}/language")).status_code == 405
    answer = await client.post(f"{path}/language", data={"locale": "es"})
    assert (answer.status_code, answer.headers["Location"]) == (303, path)
    assert '<html lang="es" dir="ltr">' in (await client.get(path)).text
    assert (await organisation.reload(card_request)).customer.locale == "es"
    assert "Escribir a Telesales" in (await client.get(path)).text


async def test_unsupported_language_changes_nothing(
    client: httpx2.AsyncClient, organisation: Organisation, card_request: ServiceRequest
) -> None:
    path = f"{path_of(card_request)}/language"
    refused = await client.post(path, data={"locale": "xx"}, headers={"Accept-Language": "es"})
    assert refused.status_code == 422
    assert "Todavía no escribimos en ese idioma." in refused.text
    elsewhere = {"Sec-Fetch-Site": "cross-site"}
    assert (await client.post(path, data={"locale": "es"}, headers=elsewhere)).status_code == 403
    assert (await organisation.reload(card_request)).customer.locale == "en"
    assert (await client.post("/r/none/language", data={"locale": "es"})).status_code == 404


async def test_region_of_a_locale_is_kept(
    client: httpx2.AsyncClient, organisation: Organisation
) -> None:
    """Somebody of Mexico reads Spanish, chooses it again, and is of Mexico still."""
    ana = replace(MARTIN, name="Ana", locale="es-MX")
    request = await organisation.open(customer=ana, by=organisation.people.tess.actor)
    path = path_of(request)
    assert '<html lang="es" dir="ltr">' in (await client.get(path)).text
    assert re.search(r'value="es"[^>]* selected>', (await client.get(f"{path}/preferences")).text)
    await client.post(f"{path}/language", data={"locale": "es"})
    await client.post(f"{path}/preferences", data={"do": "save", "locale": "es"})
    assert (await organisation.reload(request)).customer.locale == "es-MX"


async def test_errors_are_translated(
    client: httpx2.AsyncClient, organisation: Organisation
) -> None:
    ana = replace(MARTIN, name="Ana", locale="es")
    request = await organisation.open(customer=ana, by=organisation.people.tess.actor)
    refused = await client.post(f"{path_of(request)}/messages", data={"body": " "})
    assert refused.status_code == 422
    assert "Escriba algo primero, por favor." in refused.text


@pytest.mark.parametrize(
    ("locale", "way", "says"),
    [
        ("en", "ltr", ("Tess wrote to you", "See your request", "No more e-mail about it")),
        ("es", "ltr", ("Tess le ha escrito", "Ver su solicitud", "No más correos sobre esto")),
        ("ar-EG", "rtl", ("كتب إليك Tess", "عرض طلبك", "لا مزيد من البريد عن هذا الطلب")),
    ],
)
async def test_email_has_the_customers_language_and_direction(
    organisation: Organisation, settings: Settings, locale: str, way: str, says: tuple[str, ...]
) -> None:
    """It is said on the outer table too: mail programs drop what stands on <html>."""
    customer = replace(MARTIN, phone=None, locale=locale)
    request = await organisation.open(customer=customer, by=organisation.people.tess.actor)
    await organisation.run(
        write_to_customer, request, "Here it is.", by=organisation.people.tess.actor
    )
    await deliver_due(organisation.operations, FakeEmailGateway())
    settings = settings.model_copy(update={"mail_from": "hello@acme.example"})
    mail = await build_message_email(
        organisation.database, settings, (await organisation.outbound_messages(request))[-1].id or 0
    )
    text, page = (part.get_content() for part in mail.iter_parts())
    for words in says:
        assert words in text
        assert words in page
    code = locale[:2]
    assert f'<html lang="{code}" dir="{way}">' in page
    assert f'class="paper" lang="{code}" dir="{way}"' in page
    assert '<td class="ink" dir="auto"' in page
