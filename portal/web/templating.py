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
    Language,
    UntranslatedText,
    language_of,
    negotiate_language,
)
from portal.paths import TEMPLATES
from portal.web.static_files import static_url

ENGLISH_PREFIXES = ("/desk", "/demo", "/api/", "/hooks/")
"""What begins so is for staff and systems, and in English."""


def page(
    request: Request, name: str, context: Mapping[str, Any], status: int = 200
) -> HTMLResponse:
    """A whole page."""
    told = _complete(request, context)
    return HTMLResponse(render(name, told), status, headers=headers(told["theme"]))


def fragment(
    request: Request,
    name: str,
    block: str,
    context: Mapping[str, Any],
    status: int = 200,
    *,
    out_of_band: Sequence[str] = (),
) -> HTMLResponse:
    """One named block of a page, for a part that changes by itself.

    ``beside`` are templates that say themselves which other part of the page they replace.

    What stands around the block in the template is not looked at: who may see the block is for the
    endpoint to decide.
    """
    told = _complete(request, context)
    env = environment(language_of(told["locale"]))
    body = render_block(env, name, block, told)
    body += "".join(env.get_template(one).render(told) for one in out_of_band)
    return HTMLResponse(body, status, headers=headers(told["theme"]))


def error_page(request: Request, status: int, title: str, detail: str) -> HTMLResponse:
    """The page for something that did not go well: `title` says what, `detail` what to do now."""
    return page(request, "error.html", {"title": title, "detail": detail}, status)


def render(name: str, context: Mapping[str, Any]) -> str:
    """A page's HTML, for keeping.

    `context` has all of it, `brand`, `support_contact`, `theme` and `locale` included.
    """
    language = language_of(context["locale"])
    return environment(language).get_template(name).render(_in(language, context))


def visitor_language(request: Request) -> Language:
    """Of somebody whom we do not know: what the address says, else what their browser asks for."""
    if request.url.path.startswith(ENGLISH_PREFIXES):
        return ENGLISH
    if "lang" in request.query_params:
        return language_of(request.query_params["lang"])
    return negotiate_language(request.headers.get("accept-language", ""))


@cache
def headers(theme: Theme = DEFAULT_THEME) -> dict[str, str]:
    """What every page is sent with. Nothing inline runs; of inline styles only our own, by hash."""
    policy = (
        "default-src 'none'",
        "script-src 'self'",
        f"style-src 'self' {theme.style_sources()}",
        "connect-src 'self'",
        "img-src 'self' data:",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        # The page that shows the idea has the phone and the desk in frames of its own origin.
        "frame-src 'self'",
        "frame-ancestors 'self'",
    )
    return {
        "Content-Security-Policy": "; ".join(policy),
        # A tracking link is a secret: it leaves neither in a referrer, an index nor a cache.
        "Referrer-Policy": "no-referrer",
        "X-Robots-Tag": "noindex",
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }


@cache
def environment(language: Language = ENGLISH) -> Environment:
    """The templates in one language, with what all of them may use."""
    env = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,  # no look at the disk for each page
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    catalog = language.catalog
    env.install_gettext_callables(catalog.gettext, catalog.ngettext, newstyle=True)  # type: ignore[attr-defined]
    # A plain sentence is itself, or the one in its place; the extension's own `_` costs five
    # times as much for it.
    is_english = language.code == ENGLISH.code
    env.globals["_"] = Markup if is_english else lambda words: Markup(catalog.gettext(words))  # noqa: S704
    env.filters |= {
        "contact_link": contact_link,
        "marked": with_lang_attribute,
        "said": language.say,
        "size": language.size,
        "time": time_element,
    }
    env.globals["asset"] = static_url
    return env


@cache
def contact_link(contact: str) -> Markup:
    """Where to reach a person, to be tapped where it is a number or an address."""
    if re.fullmatch(r"[+\d][\d ().-]+", contact):
        return Markup('<a href="tel:{}" dir="ltr">{}</a>').format(
            re.sub(r"[^+\d]", "", contact), contact
        )
    if re.fullmatch(r"[^@\s]+@[^@\s]+", contact):
        return Markup('<a href="mailto:{0}">{0}</a>').format(contact)
    return Markup("{}").format(contact)


def time_element(said: str, at: datetime) -> Markup:
    """The words for a time, with the time for machines (UTC) behind them."""
    return Markup(f'<time datetime="{at:%Y-%m-%dT%H:%MZ}">{escape(said)}</time>')  # noqa: S704


def with_lang_attribute(words: str) -> Markup:
    """Words with the language that they are in, where it is not the page's own."""
    if not isinstance(words, UntranslatedText):
        return escape(words)
    return Markup('<span lang="{}" dir="auto">{}</span>').format(words.locale, words)


def _complete(request: Request, context: Mapping[str, Any]) -> dict[str, Any]:
    """`context` with what the frame of every page asks for, where it does not say otherwise."""
    settings = request.app.state.settings
    told = context.get("locale")
    language = language_of(told) if told else visitor_language(request)
    frame = {
        "brand": settings.brand,
        "support_contact": settings.support_contact,
        "theme": settings.theme,
    }
    # A language chosen by a link goes on to the next page with the links on this one.
    chosen = f"?lang={language.code}" if "lang" in request.query_params else ""
    return _in(language, {**frame, "chosen": chosen, **context})


def _in(language: Language, context: Mapping[str, Any]) -> dict[str, Any]:
    """`context` with the language that the page is in, and how it runs."""
    return {
        **context,
        "locale": language.code,
        "direction": language.direction,
        "languages": language.others,
    }
