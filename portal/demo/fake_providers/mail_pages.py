"""The mailbox as a person reads it. A mail's HTML is shown in a frame that can run nothing."""

import base64
import hashlib
from email.message import EmailMessage
from importlib.resources import files
from urllib.parse import urlsplit

import aiohttp
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from portal.demo.fake_providers.config import CarrierConfig, is_loopback
from portal.demo.fake_providers.mailbox import Mail, Mailbox

STYLE = (files("portal.demo.fake_providers") / "templates" / "mailbox.css").read_text("utf-8")
STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
PAGE_POLICY = (
    f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; frame-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# A mail brings its own styles and pictures inside itself; it fetches nothing, so it tells nobody
# that it was read, and it runs nothing. A link that is clicked opens outside the frame.
SANDBOX = "allow-popups allow-popups-to-escape-sandbox"
MAIL_POLICY = (
    f"sandbox {SANDBOX}; default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "base-uri 'self'; form-action 'none'; frame-ancestors 'self'"
)

environment = Environment(
    loader=PackageLoader("portal.demo.fake_providers"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
environment.globals.update(style=Markup(STYLE), sandbox=SANDBOX)  # noqa: S704 - our own file


def mail_routes() -> list[Route]:
    """The mailbox, also at the root."""
    return [
        Route("/", lambda request: RedirectResponse(f"{request.url.path}mail")),
        Route("/mail", list_mails),
        Route("/mail.json", list_mails_as_json),
        Route("/mail/{id:int}", show_mail),
        Route("/mail/{id:int}/html", show_html_part),
        Route("/mail/{id:int}/reply", reply, methods=["POST"]),
    ]


async def list_mails(request: Request) -> Response:
    """Newest first."""
    mails = _mailbox(request).mails()[::-1]
    return _page(request, "mailbox.html", mails=mails)


async def list_mails_as_json(request: Request) -> Response:
    """Oldest first, for assertions."""
    mails = _mailbox(request).mails()
    return JSONResponse({"mails": [mail.as_json() for mail in mails]}, headers=_headers())


async def show_mail(request: Request) -> Response:
    """One mail: both parts, every header, and a reply where there is a hook for it."""
    mail = _find(request)
    if mail is None:
        return _page(request, "gone.html", status=404)
    hook = _config(request).mail_hook_url
    return _page(request, "mail.html", mail=mail, can_reply=hook is not None)


async def show_html_part(request: Request) -> Response:
    """What the mail page's frame shows, under a policy of its own."""
    mail = _find(request)
    if mail is None or mail.html is None:
        return _page(request, "gone.html", status=404)
    return HTMLResponse(
        f'<!doctype html><base target="_blank">{mail.html}', headers=_headers(MAIL_POLICY)
    )


async def reply(request: Request) -> Response:
    """Post a reply as the product's mail server would hand it over; the hook's answer decides."""
    mail, config = _find(request), _config(request)
    form = await request.form()
    text = str(form.get("body", "")).strip()
    if mail is None:
        return _page(request, "gone.html", status=404)
    if config.mail_hook_url is None or not is_loopback(urlsplit(config.mail_hook_url).hostname):
        return JSONResponse({"error": "No mail hook on loopback is set."}, status_code=409)
    if not text:
        return JSONResponse({"error": "Write a few words first."}, status_code=400)
    error = await _post(config, mail.reply(text))
    if error:
        return JSONResponse({"error": error}, status_code=502)
    return RedirectResponse(f"{request.scope.get('root_path', '')}/mail/{mail.id}", 303)


async def _post(config: CarrierConfig, message: EmailMessage) -> str | None:
    """Hand the message to the hook; what went wrong, if anything did."""
    headers = {
        "Content-Type": "message/rfc822",
        "Authorization": f"Bearer {config.mail_hook_token}",
    }
    limit = aiohttp.ClientTimeout(total=config.webhook_timeout)
    try:
        async with (
            aiohttp.ClientSession(timeout=limit) as session,
            session.post(
                config.mail_hook_url or "", data=message.as_bytes(), headers=headers
            ) as answer,
        ):
            return None if answer.status < 400 else f"The mail hook answered {answer.status}."
    except (aiohttp.ClientError, TimeoutError):
        return "The mail hook did not answer."


def _page(request: Request, template: str, status: int = 200, **context: object) -> Response:
    root = request.scope.get("root_path", "")  # where this is mounted in another application
    page = environment.get_template(template).render(root=root, **context)
    return HTMLResponse(page, status_code=status, headers=_headers(PAGE_POLICY))


def _headers(policy: str = "default-src 'none'") -> dict[str, str]:
    return {
        "Content-Security-Policy": policy,
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }


def _mailbox(request: Request) -> Mailbox:
    mailbox: Mailbox = request.app.state.mailbox
    return mailbox


def _config(request: Request) -> CarrierConfig:
    config: CarrierConfig = request.app.state.carrier.config
    return config


def _find(request: Request) -> Mail | None:
    return _mailbox(request).find(request.path_params["id"])
