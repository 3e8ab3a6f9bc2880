"""`kept doctor` says what WhatsApp lacks: a sender, a template, an approval."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import aiohttp
import pytest

from portal.runtime import doctor_twilio
from portal.runtime.check_result import CheckResult, Level
from portal.settings import Settings
from portal.whatsapp import WhatsAppTemplates
from tests.whatsapp.conftest import SERVICE, TEMPLATE_SID, TEMPLATES, WHATSAPP_NUMBER

pytestmark = pytest.mark.either_database

ACCOUNT = "AC" + "0" * 32
WHATSAPP_SENDER = {"sender": f"whatsapp:{WHATSAPP_NUMBER}", "sender_type": "WhatsApp"}
RCS_SENDER = {"sender": "rcs:acme_agent", "sender_type": "RCS"}


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """What Twilio answers, by path; 404 for anything else."""
    answers: dict[str, Any] = {
        f"/2010-04-01/Accounts/{ACCOUNT}.json": {"status": "active"},
        f"/Services/{SERVICE}": {"inbound_request_url": "http://testserver/hooks/twilio/inbound"},
        f"/Services/{SERVICE}/ChannelSenders": {"senders": [WHATSAPP_SENDER]},
        f"/Content/{TEMPLATE_SID}/ApprovalRequests": {"whatsapp": {"status": "approved"}},
    }

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = answers.get(self.path.partition("?")[0])
            self.send_response(404 if found is None else 200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(found or {}).encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        origin = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setattr(doctor_twilio, "TWILIO", origin)
        monkeypatch.setattr(doctor_twilio, "TWILIO_SERVICES", f"{origin}/Services")
        monkeypatch.setattr(doctor_twilio, "TWILIO_CONTENT", f"{origin}/Content")
        yield answers
        server.shutdown()


async def checks(settings: Settings, **changes: Any) -> list[CheckResult]:
    """What is said of this settings' Twilio account, beside the webhook."""
    at_twilio = settings.model_copy(update={"twilio_api_url": None, **changes})
    async with aiohttp.ClientSession() as session:
        return (await doctor_twilio.check_texts(at_twilio, session))[1:]


def words(results: list[CheckResult], level: Level) -> list[str]:
    return [result.words for result in results if result.level is level]


async def test_missing_templates_are_named_by_language(
    settings: Settings, answers: dict[str, Any]
) -> None:
    results = await checks(settings)
    assert words(results, Level.WRONG) == []
    in_english, in_spanish, in_arabic = words(results, Level.WARNING)
    assert in_english.startswith("WhatsApp: no template in en for acknowledgement, address")
    assert "milestone" not in in_english
    assert "milestone" in in_spanish
    assert "in ar" in in_arabic
    assert words(results, Level.OK) == ["WhatsApp: whoever wrote last there is answered there."]


async def test_no_template_at_all_is_said_once(settings: Settings, answers: dict[str, Any]) -> None:
    for templates in (None, WhatsAppTemplates()):
        results = await checks(settings, whatsapp_templates=templates)
        assert "go" in words(results, Level.WARNING)[0]
    results = await checks(settings, whatsapp_templates=None)
    (warning,) = words(results, Level.WARNING)
    assert warning.startswith("WhatsApp: KEPT_WHATSAPP_TEMPLATES is not set")


async def test_service_without_a_whatsapp_sender_is_wrong(
    settings: Settings, answers: dict[str, Any]
) -> None:
    answers[f"/Services/{SERVICE}/ChannelSenders"] = {"senders": [RCS_SENDER]}
    results = await checks(settings)
    assert words(results, Level.WRONG) == [
        "WhatsApp: the messaging service has no WhatsApp sender; add one to its pool."
    ]
    assert words(results, Level.OK) == [
        "RCS: the service sends by RCS where a phone takes it, else by SMS."
    ]


async def test_sender_that_is_not_switched_on_is_named(
    settings: Settings, answers: dict[str, Any]
) -> None:
    results = await checks(settings, whatsapp=False, whatsapp_templates=None)
    assert words(results, Level.WARNING) == [
        "WhatsApp: the service has a sender, but KEPT_WHATSAPP is off: SMS answers."
    ]


@pytest.mark.parametrize(
    ("approval", "sentence"),
    [
        (None, f"WhatsApp: Twilio has no template {TEMPLATE_SID}; see KEPT_WHATSAPP_TEMPLATES."),
        ({"status": "pending"}, f"WhatsApp: template {TEMPLATE_SID} is pending, not approved."),
        ({}, f"WhatsApp: template {TEMPLATE_SID} is unsubmitted, not approved."),
    ],
)
async def test_template_that_whatsapp_has_not_approved_is_wrong(
    approval: dict[str, str] | None, sentence: str, settings: Settings, answers: dict[str, Any]
) -> None:
    path = f"/Content/{TEMPLATE_SID}/ApprovalRequests"
    if approval is None:
        del answers[path]
    else:
        answers[path] = {"whatsapp": approval}
    results = await checks(settings, whatsapp_templates=TEMPLATES)
    assert words(results, Level.WRONG) == [sentence]
