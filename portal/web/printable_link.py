"""A customer's link on paper: as a QR code, and on a slip to print and hand over."""

import io
from dataclasses import dataclass

import segno
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

from portal.messaging.wording.time_format import TimeFormatter
from portal.web import templating

QUIET_ZONE = 4
"""Modules of white around a code, without which some phones do not find it (ISO/IEC 18004)."""


@dataclass(frozen=True, slots=True)
class PrintableLink:
    """What stands on it. ``words`` are in the customer's language; ``back`` is where to return."""

    link: str
    first_name: str
    reference: str
    words: TimeFormatter
    back: str


def printable_link_page(request: Request, told: PrintableLink) -> HTMLResponse:
    """The page of a slip, without a word about the matter: paper lies about."""
    context = {
        "slip": told,
        "qr": Markup(qr_svg(told.link)),  # noqa: S704 (drawn right here, of modules only)
        "find_url": request.app.state.settings.public_url,
        "locale": told.words.locale,
        "direction": told.words.direction,
    }
    return templating.page(request, "printable_link.html", context)


def qr_svg(link: str) -> str:
    """The link as an SVG image, black on white; up to 15 % of it may be smudged or torn.

    It is drawn here: nobody else is told of the link.
    """
    drawn = io.BytesIO()
    segno.make(link, error="m", micro=False).save(
        drawn, kind="svg", border=QUIET_ZONE, dark="#000", light="#fff",
        xmldecl=False, omitsize=True, nl=False,
    )  # fmt: skip
    return drawn.getvalue().decode()
