"""A customer's link on paper: a QR code, and a page to print."""

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
    """The content of the printed page, in the language of ``times``; ``back`` is a URL."""

    link: str
    first_name: str
    reference: str
    times: TimeFormatter
    back: str


def printable_link_page(request: Request, printable_link: PrintableLink) -> HTMLResponse:
    """The page to print. It does not name the matter, because others may read the paper."""
    context = {
        "printable_link": printable_link,
        "qr": Markup(qr_svg(printable_link.link)),  # noqa: S704 (drawn right here, of modules only)
        "find_url": request.app.state.settings.public_url,
        "locale": printable_link.times.locale,
        "direction": printable_link.times.direction,
    }
    return templating.page(request, "printable_link.html", context)


def qr_svg(link: str) -> str:
    """The link as an SVG image, black on white; up to 15 % of it may be smudged or torn.

    It is drawn here, so that no other service learns the link.
    """
    svg = io.BytesIO()
    segno.make(link, error="m", micro=False).save(
        svg, kind="svg", border=QUIET_ZONE, dark="#000", light="#fff",
        xmldecl=False, omitsize=True, nl=False,
    )  # fmt: skip
    return svg.getvalue().decode()
