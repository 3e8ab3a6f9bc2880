"""Pages and fragments: the templates, and the headers that every page carries.

A page is a file in `templates/`, a fragment a named block inside it. Everything is escaped, and a
name that a template asks for and was not given is an error rather than a blank. A page is in its
context's `locale`, else in what the visitor's browser asks for; the desk's are in English.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2_fragments import render_block
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import HTMLResponse

from portal.branding.theme import DEFAULT_THEME, Theme
from portal.i18n.languages import (
    ENGLISH,
    LANGUAGE_CODES,
    Language,
    UntranslatedText,
    language_of,
    negotiate_language,
)
from portal.messaging.link_masking import mask_secrets
from portal.paths import TEMPLATES
from portal.web.app_icon import icon_of
from portal.web.static_files import static_url

ENGLISH_PREFIXES = ("/desk", "/demo", "/api/", "/hooks/")
"""Paths with these prefixes are for staff and systems, and in English."""
PARCEL_LINK = Markup(
    '<a href="{}" rel="noopener noreferrer nofollow" referrerpolicy="no-referrer">{}</a>'
)
MIN_LINKED_LENGTH = 6
"""Letters; a shorter tracking number may be another number in a text."""
ENGLISH_TEMPLATES = ("desk/", "demo/")
DESK_PREFIX = "/desk"


class StatusLink(Markup):
    """A customer's link that a page of the desk shows: the page has checked who may see it."""


def page(
    request: Request, name: str, context: Mapping[str, Any], status: int = 200
) -> HTMLResponse:
    """A whole page."""
    full_context = _full_context(request, context)
    body = _environment_for(request, full_context).get_template(name).render(full_context)
    return HTMLResponse(body, status, headers=headers(full_context["theme"]))


def fragment(
    request: Request,
    name: str,
    block: str,
    context: Mapping[str, Any],
    status: int = 200,
    *,
    out_of_band: Sequence[str] = (),
) -> HTMLResponse:
    """One named block of a page, for a part that is updated alone.

    ``out_of_band`` are templates that replace other parts of the page (htmx ``hx-swap-oob``).

    The rest of the template is not rendered, so the endpoint must check who may see the block.
    """
    full_context = _full_context(request, context)
    env = _environment_for(request, full_context)
    body = render_block(env, name, block, full_context)
    body += "".join(env.get_template(template).render(full_context) for template in out_of_band)
    return HTMLResponse(body, status, headers=headers(full_context["theme"]))


def error_page(request: Request, status: int, title: str, detail: str) -> HTMLResponse:
    """The page of an error: `title` is what happened, `detail` what to do."""
    return page(request, "error.html", {"title": title, "detail": detail}, status)


def render(name: str, context: Mapping[str, Any]) -> str:
    """The HTML of a page, for a cache.

    `context` has all of it, `brand`, `support_contact`, `theme` and `locale` included.
    """
    language = language_of(context["locale"])
    return environment(language).get_template(name).render(_with_language(language, context))


def visitor_language(request: Request) -> Language:
    """The language of an unknown visitor: as the URL says, else as their browser asks for."""
    if request.url.path.startswith(ENGLISH_PREFIXES):
        return ENGLISH
    if "lang" in request.query_params:
        return language_of(request.query_params["lang"])
    return negotiate_language(request.headers.get("accept-language", ""))


@cache
def headers(theme: Theme = DEFAULT_THEME) -> dict[str, str]:
    """The headers of every page. No inline script runs; inline styles only by their hash."""
    policy = (
        "default-src 'none'",
        "script-src 'self'",
        f"style-src 'self' {theme.style_sources()}",
        "connect-src 'self'",
        "img-src 'self' data:",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        # The demo page shows the phone and the desk in frames of its own origin.
        "frame-src 'self'",
        "frame-ancestors 'self'",
    )
    return {
        "Content-Security-Policy": "; ".join(policy),
        # A tracking link is a secret: no referrer, search index or cache may keep it.
        "Referrer-Policy": "no-referrer",
        "X-Robots-Tag": "noindex",
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }


def environment(language: Language = ENGLISH, *, masks_links: bool = False) -> Environment:
    """The template environment of one language, with its filters and globals.

    ``masks_links`` leaves the links of customers out, as the desk's pages do: there they stand
    only where the page gives a ``StatusLink``.
    """
    # Positional: the cache takes a keyword, or a default that is left out, for another call.
    return _environment(language, masks_links)


@cache
def _environment(language: Language, masks_links: bool) -> Environment:  # noqa: FBT001
    env = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,  # no look at the disk for each page
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
        finalize=_mask_text if masks_links else None,
    )
    catalog = language.catalog
    env.install_gettext_callables(catalog.gettext, catalog.ngettext, newstyle=True)  # type: ignore[attr-defined]
    # A sentence without fields needs one lookup; the extension's own `_` takes five times as long.
    is_english = language.code == ENGLISH.code
    env.globals["_"] = Markup if is_english else lambda text: Markup(catalog.gettext(text))  # noqa: S704
    env.filters |= {
        "contact_link": contact_link,
        "linked": link_numbers,
        "marked": with_lang_attribute,
        "said": language.say,
        "size": language.size,
        "time": time_element,
    }
    env.globals["asset"] = static_url
    env.globals["app_icon_url"] = _app_icon_url
    return env


def preload() -> None:
    """Compile every template, in each language that it has.

    It takes about a second, in which the first visitors would otherwise wait for each other.
    """
    desk = environment(masks_links=True)
    for code in LANGUAGE_CODES:
        env = environment(language_of(code))
        for name in env.list_templates(extensions=["html"]):
            if name.startswith("desk/"):
                desk.get_template(name)
            elif code == ENGLISH.code or not name.startswith(ENGLISH_TEMPLATES):
                env.get_template(name)
    for name in ("base.html", "error.html"):
        desk.get_template(name)


@cache
def contact_link(contact: str) -> Markup:
    """The support contact, as a link where it is a phone number or an e-mail address."""
    if re.fullmatch(r"[+\d][\d ().-]+", contact):
        return Markup('<a href="tel:{}" dir="ltr">{}</a>').format(
            re.sub(r"[^+\d]", "", contact), contact
        )
    if re.fullmatch(r"[^@\s]+@[^@\s]+", contact):
        return Markup('<a href="mailto:{0}">{0}</a>').format(contact)
    return Markup("{}").format(contact)


def link_numbers(text: str, urls: Mapping[str, str]) -> Markup:
    """The text with each tracking number in it as a link to its carrier's page."""
    numbers = [number for number in urls if len(number) >= MIN_LINKED_LENGTH and number in text]
    if not numbers:
        return escape(text)
    pattern = "|".join(map(re.escape, sorted(numbers, key=len, reverse=True)))
    parts = re.split(rf"(?<!\w)({pattern})(?!\w)", text)
    return Markup("").join(
        PARCEL_LINK.format(urls[part], part) if number % 2 else part
        for number, part in enumerate(parts)
    )


def time_element(text: str, at: datetime) -> Markup:
    """A <time> element: the text for a time, with its value in UTC."""
    return Markup(f'<time datetime="{at:%Y-%m-%dT%H:%MZ}">{escape(text)}</time>')  # noqa: S704


def with_lang_attribute(text: str) -> Markup:
    """The text, in a <span> with its language where that is not the page's."""
    if not isinstance(text, UntranslatedText):
        return escape(text)
    return Markup('<span lang="{}" dir="auto">{}</span>').format(text.locale, text)


def _environment_for(request: Request, full_context: Mapping[str, Any]) -> Environment:
    is_desk = request.url.path.startswith(DESK_PREFIX)
    return environment(language_of(full_context["locale"]), masks_links=is_desk)


def _app_icon_url(brand: str, theme: Theme) -> str:
    """The brand's icon, for the tab of a browser."""
    return icon_of(brand, theme.accent).url("icon.svg")


def _mask_text(value: Any) -> Any:
    """What a template writes. Markup stays: of macros, which are masked inside, and of links."""
    return (
        mask_secrets(value) if isinstance(value, str) and not isinstance(value, Markup) else value
    )


def _full_context(request: Request, context: Mapping[str, Any]) -> dict[str, Any]:
    """`context` with the defaults of the values that every page needs."""
    settings = request.app.state.settings
    locale = context.get("locale")
    language = language_of(locale) if locale else visitor_language(request)
    defaults = {
        "brand": settings.brand,
        "support_contact": settings.support_contact,
        "theme": settings.theme,
    }
    # A language chosen in the URL is carried on by the links of the page.
    chosen = f"?lang={language.code}" if "lang" in request.query_params else ""
    return _with_language(language, {**defaults, "chosen": chosen, **context})


def _with_language(language: Language, context: Mapping[str, Any]) -> dict[str, Any]:
    """`context` with the page's language and its direction."""
    return {
        **context,
        "locale": language.code,
        "direction": language.direction,
        "languages": language.others,
    }
