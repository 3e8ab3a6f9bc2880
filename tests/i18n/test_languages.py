"""Customers are spoken to in their own language: no sentence missed, none half said."""

# ruff: noqa: RUF001 - Arabic's digits and signs look like others, and are meant.

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import httpx2
import pytest
import time_machine
from babel.messages.catalog import Message as Entry
from babel.messages.pofile import read_po

from portal.attachments.refusals import FileRefusal
from portal.i18n.extract_messages import extract, is_translated, read
from portal.i18n.languages import ENGLISH, LANGUAGE_CODES, Language, language_of, negotiate_language
from portal.i18n.lazy_string import LazyString
from portal.messaging.wording.time_format import IDIOMS, TimeFormatter
from portal.models import ServiceRequest
from portal.operations import advance, write_to_customer
from portal.paths import TRANSLATIONS
from portal.settings import Settings
from portal.web.templating import with_lang_attribute
from tests.support.factories import MARTIN, Organisation
from tests.support.fake_gateways import FakeEmailGateway, deliver_due
from tests.support.status_page_states import STATES, html
from workers.delivery.email_letters import build_message_email

pytestmark = pytest.mark.either_database

OTHERS = [code for code in LANGUAGE_CODES if code != "en"]
FIELD = re.compile(r"%\((\w+)\)s|\{(\w+)\}|(<[^>]+>)")
NOW = datetime(2026, 11, 24, 20, 30, tzinfo=UTC)
ARABIC = replace(MARTIN, locale="ar")
READ_ALOUD = ("aria-label", "alt", "title", "placeholder", "data-lost", "data-failed")


@pytest.fixture
async def arabs(organisation: Organisation) -> ServiceRequest:
    """A request of somebody who reads Arabic."""
    return await organisation.open(customer=ARABIC, by=organisation.people.tess.actor)


def path_of(request: ServiceRequest) -> str:
    assert request.live_link
    return f"/r/{request.live_link.token}"


# --- the catalogs ---------------------------------------------------------------------------------


@pytest.mark.parametrize("code", OTHERS)
def test_all_strings_are_extracted(code: str) -> None:
    """What templates and code say is what stands in the catalog: no more, no less, nothing empty."""
    said = {entry.id for entry in extract() if entry.id}
    catalog = [entry for entry in read(code) if entry.id]
    assert said == {entry.id for entry in catalog}, "run bin/translate"
    assert [entry.id for entry in catalog if not is_translated(entry)] == []
    assert not read(code).obsolete


def test_catalog_template_is_up_to_date() -> None:
    with (TRANSLATIONS / "kept.pot").open("rb") as file:
        assert {entry.id for entry in read_po(file)} == {entry.id for entry in extract()}


@pytest.mark.parametrize("code", OTHERS)
def test_translations_use_exactly_the_given_fields(code: str) -> None:
    """The same fields and marks in each form; as many forms as the language has."""
    catalog = read(code)
    for entry in (entry for entry in catalog if entry.id):
        if entry.pluralizable:
            assert len(entry.string) == catalog.num_plurals, entry.id
        for form in entry.string if entry.pluralizable else (entry.string,):
            assert found_in(form) == found_in(source_of(entry)), form
            assert form == form.strip()


def source_of(entry: Entry) -> str:
    return entry.id[1] if entry.pluralizable else entry.id


def found_in(text: str) -> set[tuple[str, ...]]:
    return set(FIELD.findall(text))


def test_each_language_has_its_plural_forms() -> None:
    """CLDR: two for Spanish, six for Arabic."""
    assert [read(code).num_plurals for code in OTHERS] == [2, 6]
    one, many = (
        "Please send at most {count} file at once, and choose it again.",
        "Please send at most {count} files at once, and choose them again.",
    )
    said = {Language("ar").ngettext(one, many, count) for count in (1, 2, 3, 11, 100)}
    assert len(said) == 5
    assert Language("es").ngettext(one, many, 1).count("archivo ") == 1
    assert Language("en").ngettext(one, many, 2) == many.format(count=2)


# --- what is read ---------------------------------------------------------------------------------


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
        for one in told:
            yield from facts(one)
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
        "Acme Bank", "Martin", arabs.reference, arabs.title, "Telesales", "Underwriting",
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
    assert "Díganos las dos cosas, por favor" in refused.text
    assert "set-cookie" not in refused.headers


# --- switching ------------------------------------------------------------------------------------


async def test_the_customer_switches_the_language_of_page_and_messages(
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


async def test_the_region_of_a_language_is_kept(
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


# --- mails ----------------------------------------------------------------------------------------


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


# --- sentences, times and figures -----------------------------------------------------------------


def test_lazy_string_reads_as_english() -> None:
    large = FileRefusal.too_large(10_000_000).text
    told = LazyString("We could not take “{name}”: {reason}. Please choose your files again.",
                    name="{x}.tiff", reason=large)  # fmt: skip
    assert told == (
        "We could not take “{x}.tiff”: it is larger than 10 MB. Please choose your files again."
    )
    assert "«{x}.tiff»: ocupa más de 10 MB." in language_of("es").say(told)
    assert language_of("ar-EG").say(large) == "حجمه أكبر من ١٠ ميغابايت"
    assert language_of("es").say(FileRefusal.too_large(8_000_000).text) == "ocupa más de 8 MB"
    assert language_of("es").say("Yes") == "Yes", "somebody's own words stay as they are"


async def test_untranslated_workflow_text_is_marked(
    client: httpx2.AsyncClient, arabs: ServiceRequest
) -> None:
    """So that they are spoken as what they are; what is in the page's own language is not."""
    page = (await client.get(path_of(arabs))).text
    assert '<span lang="en" dir="auto">We have your application</span>' in page
    assert with_lang_attribute("<b>") == "&lt;b&gt;"


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("", "en"),
        ("*", "en"),
        ("es", "es"),
        ("es-419,es;q=0.9", "es"),
        ("fr-CH, fr;q=0.9, en;q=0.2, ar;q=0.4", "ar"),
        ("ar;q=0, es;q=0.1", "es"),
        ("en-GB, es", "en"),
        ("es;q=nonsense, ar", "ar"),
        ("," * 10_000 + "es", "en"),
    ],
)
def test_accept_language_picks_the_first_supported_language(header: str, code: str) -> None:
    assert negotiate_language(header).code == code


def test_unsupported_locale_is_english() -> None:
    for locale in ("fr", "zz", "", "e", "español", "../es", "es_" + "X" * 40):
        assert language_of(locale).code in {"en", "es"}
        assert TimeFormatter(locale, "UTC", NOW).direction == "ltr"
    assert language_of("AR_eg") == Language("ar", "arab")
    assert ENGLISH.direction == "ltr"
    assert set(IDIOMS) == set(LANGUAGE_CODES)


@pytest.mark.parametrize(
    ("locale", "said"),
    [
        (
            "es",
            ("hoy a las 15:30", "el viernes a las 15:30", "mañana a las 1:30", "a las 15:30",
             "el jue 26 nov", "vie, 15:30", "2 días"),
        ),
        (
            "ar",
            ("اليوم، 3:30 م", "الجمعة، 3:30 م", "غدًا، 1:30 ص", "3:30 م",
             "الخميس 26 نوفمبر", "الجمعة، 3:30 م", "يومان"),
        ),
        (
            "ar-EG",
            ("اليوم، ٣:٣٠ م", "الجمعة، ٣:٣٠ م", "غدًا، ١:٣٠ ص", "٣:٣٠ م",
             "الخميس ٢٦ نوفمبر", "الجمعة، ٣:٣٠ م", "يومان"),
        ),
    ],
)  # fmt: skip
def test_times_follow_each_language(locale: str, said: tuple[str, ...]) -> None:
    """Names, plurals and digits by CLDR: Egypt writes Arabic-Indic digits, "ar" alone does not."""
    words = TimeFormatter(locale, "America/New_York", NOW)
    friday = NOW - timedelta(days=4)
    assert said == (
        words.since(NOW),
        words.on(friday),
        words.by(NOW + timedelta(hours=10)).replace("a la 1", "a las 1"),
        words.by(NOW),
        words.day(NOW + timedelta(days=2)),
        words.stamp(friday),
        words.length(timedelta(days=2)),
    )


def test_one_oclock_is_singular() -> None:
    one = datetime(2026, 11, 25, 6, 5, tzinfo=UTC)
    assert TimeFormatter("es", "America/New_York", NOW).by(one) == "mañana a la 1:05"


@pytest.mark.parametrize(
    ("locale", "figures"),
    [
        ("en", ("1,600", "240 kB", "1.2 MB")),
        ("es", ("1.600", "240 kB", "1,2 MB")),
        ("ar-EG", ("١٬٦٠٠", "٢٤٠ كيلوبايت", "١٫٢ م.ب")),
    ],
)
def test_numbers_follow_each_language(locale: str, figures: tuple[str, ...]) -> None:
    language = language_of(locale)
    assert figures == (language.number(1600), language.size(240_000), language.size(1_234_567))


async def test_arabic_page_uses_the_customers_timezone(
    clock: time_machine.Traveller, client: httpx2.AsyncClient, arabs: ServiceRequest
) -> None:
    """10 in the morning in New York, and the time for machines behind it."""
    page = (await client.get(path_of(arabs))).text
    assert 'منذ <time datetime="2025-06-03T14:00Z">اليوم، 10 ص</time>' in page
