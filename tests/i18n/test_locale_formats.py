"""Times, numbers and fallbacks of each language."""

# ruff: noqa: RUF001 - Arabic digits look like other letters.

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx2
import pytest
import time_machine

from portal.attachments.refusals import FileRefusal
from portal.i18n.languages import ENGLISH, LANGUAGE_CODES, Language, language_of, negotiate_language
from portal.i18n.lazy_string import LazyString
from portal.messaging.wording.time_format import TimeFormatter
from portal.messaging.wording.time_idioms import IDIOMS
from portal.models import ServiceRequest
from portal.web.templating import with_lang_attribute
from tests.support.factories import MARTIN

pytestmark = pytest.mark.either_database


NOW = datetime(2026, 11, 24, 20, 30, tzinfo=UTC)


ARABIC = replace(MARTIN, locale="ar")


def path_of(request: ServiceRequest) -> str:
    assert request.live_link
    return f"/r/{request.live_link.token}"


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
