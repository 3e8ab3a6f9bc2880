"""The checks of `kept doctor` that ask Twilio: the account, the webhook, WhatsApp and RCS."""

import asyncio
import base64
from typing import Any

import aiohttp

from portal.i18n.languages import LANGUAGE_CODES
from portal.runtime.check_result import CheckResult, right, warning, wrong
from portal.settings import Settings

TWILIO = "https://api.twilio.com"
TWILIO_SERVICES = "https://messaging.twilio.com/v1/Services"
TWILIO_CONTENT = "https://content.twilio.com/v1/Content"
INBOUND_PATH = "/hooks/twilio/inbound"
ANSWER_ERRORS = (aiohttp.ClientError, OSError, TimeoutError, ValueError)


async def check_texts(settings: Settings, session: aiohttp.ClientSession) -> list[CheckResult]:
    """Whether the account takes our credentials, and announces incoming texts to us."""
    if not settings.sends_texts:
        return [warning("Texts: none are sent, as no TWILIO_ setting is given.")]
    place = settings.twilio_api_url or "Twilio"
    base = (settings.twilio_api_url or TWILIO).rstrip("/")
    account_url = f"{base}/2010-04-01/Accounts/{settings.twilio_account_sid}"
    try:
        code, account = await _get(settings, session, f"{account_url}.json")
        if code in {401, 403}:
            return [
                wrong(f"Texts: {place} refuses TWILIO_ACCOUNT_SID with TWILIO_AUTH_TOKEN ({code}).")
            ]
        if code != 200:
            return [wrong(f"Texts: {place} answers {code} for the account.")]
        if account.get("status") not in {None, "active"}:
            return [wrong(f"Texts: the account at {place} is {account['status']}.")]
        webhook = await _check_webhook(settings, session, account_url)
        return [webhook, *await _check_channels(settings, session)]
    except ANSWER_ERRORS as error:
        return [wrong(f"Texts: {place} cannot be reached ({type(error).__name__}).")]


async def _check_webhook(
    settings: Settings, session: aiohttp.ClientSession, account_url: str
) -> CheckResult:
    """Whether the number is the account's, and announces incoming texts to us."""
    number, ours = settings.twilio_from_number, settings.public_url + INBOUND_PATH
    if number is None:
        return await _check_service(settings, session, ours)
    query = {"PhoneNumber": number}
    code, answer = await _get(settings, session, f"{account_url}/IncomingPhoneNumbers.json", query)
    if code != 200:
        return warning(f"Texts: sent from {number}; its webhook is not shown ({code}).")
    owned = answer.get("incoming_phone_numbers")
    if not owned:
        return wrong(f"Texts: the account has no number {number}; see TWILIO_FROM_NUMBER.")
    return _compare_webhook(number, owned[0].get("sms_url"), ours)


async def _check_service(
    settings: Settings, session: aiohttp.ClientSession, ours: str
) -> CheckResult:
    if settings.twilio_api_url:
        return right(f"Texts: sent from the messaging service by {settings.twilio_api_url}.")
    sid = settings.twilio_messaging_service_sid
    code, answer = await _get(settings, session, f"{TWILIO_SERVICES}/{sid}")
    if code != 200:
        return wrong(f"Texts: Twilio answers {code} for TWILIO_MESSAGING_SERVICE_SID.")
    if answer.get("use_inbound_webhook_on_number"):
        return warning(
            f"Texts: the webhook of each number of the service counts: it must be {ours}."
        )
    return _compare_webhook("the messaging service", answer.get("inbound_request_url"), ours)


def _compare_webhook(sender: str, named: str | None, ours: str) -> CheckResult:
    if named != ours:
        return wrong(
            f"Texts: {sender} announces incoming texts elsewhere; set its webhook to {ours}."
        )
    return right(f"Texts: sent from {sender}, and its webhook is {ours}.")


async def _check_channels(settings: Settings, session: aiohttp.ClientSession) -> list[CheckResult]:
    """Whether the messaging service has the WhatsApp sender and the templates that it needs.

    Another server than Twilio is not asked: it may not have these parts of Twilio's API.
    """
    found = _check_template_kinds(settings) if settings.whatsapp else []
    if settings.twilio_messaging_service_sid is None or settings.twilio_api_url:
        return found
    url = f"{TWILIO_SERVICES}/{settings.twilio_messaging_service_sid}/ChannelSenders"
    code, answer = await _get(settings, session, url, {"PageSize": "100"})
    if code != 200:
        return [*found, warning(f"Texts: the senders of the service are not shown ({code}).")]
    senders = [str(each.get("sender", "")) for each in answer.get("senders", [])]
    has_whatsapp = any(sender.startswith("whatsapp:") for sender in senders)
    if settings.whatsapp and not has_whatsapp:
        found.append(
            wrong("WhatsApp: the messaging service has no WhatsApp sender; add one to its pool.")
        )
    elif has_whatsapp and not settings.whatsapp:
        found.append(
            warning("WhatsApp: the service has a sender, but KEPT_WHATSAPP is off: SMS answers.")
        )
    elif has_whatsapp:
        found.append(right("WhatsApp: whoever wrote last there is answered there."))
    if any(sender.startswith("rcs:") for sender in senders):
        found.append(right("RCS: the service sends by RCS where a phone takes it, else by SMS."))
    if settings.whatsapp_templates is not None:
        sids = settings.whatsapp_templates.content_sids
        checks = (_check_template(settings, session, sid) for sid in sids)
        found += [result for results in await asyncio.gather(*checks) for result in results]
    return found


def _check_template_kinds(settings: Settings) -> list[CheckResult]:
    """What goes by SMS outside the customer service window, for want of a template."""
    if settings.whatsapp_templates is None:
        return [
            warning(
                "WhatsApp: KEPT_WHATSAPP_TEMPLATES is not set, so what is written after the "
                "customer service window goes by SMS."
            )
        ]
    found = []
    for language in LANGUAGE_CODES:
        kinds = settings.whatsapp_templates.missing(language)
        if kinds:
            found.append(
                warning(
                    f"WhatsApp: no template in {language} for {', '.join(kinds)}; after the "
                    "customer service window these go by SMS."
                )
            )
    return found or [right("WhatsApp: every kind of message has a template in every language.")]


async def _check_template(
    settings: Settings, session: aiohttp.ClientSession, sid: str
) -> list[CheckResult]:
    """Nothing for a template that WhatsApp has approved."""
    code, answer = await _get(settings, session, f"{TWILIO_CONTENT}/{sid}/ApprovalRequests")
    if code == 404:
        return [wrong(f"WhatsApp: Twilio has no template {sid}; see KEPT_WHATSAPP_TEMPLATES.")]
    if code != 200:
        return [warning(f"WhatsApp: the approval of template {sid} is not shown ({code}).")]
    approval = answer.get("whatsapp") or {}
    status = approval.get("status", "unsubmitted")
    if status != "approved":
        return [wrong(f"WhatsApp: template {sid} is {status}, not approved.")]
    return []


async def _get(
    settings: Settings,
    session: aiohttp.ClientSession,
    url: str,
    query: dict[str, str] | None = None,
) -> tuple[int, dict[str, Any]]:
    """The code, and the JSON object where it is a 200."""
    password = settings.twilio_auth_tokens[0].get_secret_value()
    credentials = base64.b64encode(f"{settings.twilio_account_sid}:{password}".encode()).decode()
    headers = {"Authorization": f"Basic {credentials}"}
    async with session.get(url, params=query, headers=headers, allow_redirects=False) as answer:
        found = await answer.json(content_type=None) if answer.status == 200 else {}
        return answer.status, found if isinstance(found, dict) else {}
