"""Pages and fragments: the templates, and the headers that every page carries.

A page is a file in `templates/`, a fragment a named block inside it. Everything is escaped, and a
name that a template asks for and was not given is an error rather than a blank.
"""

import base64
import hashlib
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

from portal.assets import STATIC, asset
from portal.places import TEMPLATES


def page(
    request: Request, name: str, context: Mapping[str, Any], status: int = 200
) -> HTMLResponse:
    """A whole page."""
    return HTMLResponse(render(name, _complete(request, context)), status, headers=headers())


def fragment(
    request: Request,
    name: str,
    block: str,
    context: Mapping[str, Any],
    status: int = 200,
    *,
    beside: Sequence[str] = (),
) -> HTMLResponse:
    """One named block of a page, for a part that changes by itself.

    ``beside`` are templates that say themselves which other part of the page they replace.

    What stands around the block in the template is not looked at: who may see the block is for the
    endpoint to decide.
    """
    told = _complete(request, context)
    body = render_block(environment(), name, block, told)
    body += "".join(environment().get_template(one).render(told) for one in beside)
    return HTMLResponse(body, status, headers=headers())


def error_page(request: Request, status: int, title: str, detail: str) -> HTMLResponse:
    """The page for something that did not go well: `title` says what, `detail` what to do now."""
    return page(request, "error.html", {"title": title, "detail": detail}, status)


def render(name: str, context: Mapping[str, Any]) -> str:
    """A page's HTML, for keeping.

    `context` has all of it, `brand`, `support_contact`, `locale` and `direction` included.
    """
    return environment().get_template(name).render(context)


@cache
def headers() -> dict[str, str]:
    """What every page is sent with. Nothing inline runs; of inline styles only our own, by hash."""
    digest = base64.b64encode(hashlib.sha256(critical_css().encode()).digest()).decode()
    policy = (
        "default-src 'none'",
        "script-src 'self'",
        f"style-src 'self' 'sha256-{digest}'",
        "connect-src 'self'",
        "img-src 'self' data:",
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
def critical_css() -> Markup:
    """The customer pages' styles, small enough to travel inside the page."""
    css = (STATIC / "customer.css").read_text(encoding="utf-8")
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    css = re.sub(r"\s+", " ", css)
    css = re.sub(r" ?([{};,>]) ?", r"\1", css).replace(": ", ":").replace(";}", "}")
    return Markup(css.strip())  # noqa: S704  (our own file)


@cache
def environment() -> Environment:
    """The templates, with what all of them may use."""
    env = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,  # no look at the disk for each page
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    # Sentences stand whole in the templates, ready for their translations.
    env.install_null_translations(newstyle=True)  # type: ignore[attr-defined]
    # A plain sentence is itself; the extension's own `_` costs five times as much for it.
    env.globals["_"] = Markup
    env.filters |= {"contact_link": contact_link, "time": time_element}
    env.globals |= {"asset": asset, "critical_css": critical_css}
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


def _complete(request: Request, context: Mapping[str, Any]) -> dict[str, Any]:
    """`context` with what the frame of every page asks for, where it does not say otherwise."""
    settings = request.app.state.settings
    return {
        "brand": settings.brand,
        "support_contact": settings.support_contact,
        "locale": "en",
        "direction": "ltr",
        **context,
    }
