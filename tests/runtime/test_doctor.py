"""`kept doctor` asks the provider, the mail server and the public address, and sends nothing."""

import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from portal.demo.fake_providers import FakeProviders
from portal.runtime.check_result import Level
from portal.runtime.doctor import run_checks
from portal.settings import Settings

TOKEN = "the token of the tests"


@contextmanager
def public_address(body: bytes = b'{"status":"ok"}', date: str | None = None) -> Iterator[str]:
    """A server that answers as Kept's /healthz does."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/healthz" else 404)
            self.end_headers()
            self.wfile.write(body)

        def date_time_string(self, timestamp: float | None = None) -> str:
            return date or super().date_time_string(timestamp)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def carrier() -> Iterator[FakeProviders]:
    with FakeProviders(auth_token=TOKEN) as carrier:
        yield carrier


@pytest.fixture
def told(
    tmp_path: Path, migrated_file: Path, carrier: FakeProviders, monkeypatch: pytest.MonkeyPatch
) -> Iterator[dict[str, Any]]:
    """Settings with which every server answers, by their names in the environment."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(Settings.environment_name(name), raising=False)
    (tmp_path / "data").mkdir()
    shutil.copyfile(migrated_file, tmp_path / "data" / "kept.db")
    with public_address() as origin:
        carrier.inbound_url = f"{origin}/hooks/twilio/inbound"
        yield {
            "KEPT_PUBLIC_URL": origin,
            "KEPT_SECRET_KEY": "0123456789abcdef" * 2,
            "TWILIO_ACCOUNT_SID": carrier.config.account_sid,
            "TWILIO_AUTH_TOKEN": TOKEN,
            "TWILIO_FROM_NUMBER": carrier.config.from_number,
            "TWILIO_API_URL": carrier.api_url,
            "SMTP_URL": carrier.smtp_url,
            "KEPT_MAIL_FROM": "desk@acme.example",
        }


def said(level: Level, told: dict[str, Any]) -> list[str]:
    """What the checks say at this level."""
    results = run_checks(Settings(_env_file=None, **told))
    return [result.words for result in results if result.level is level]


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def test_everything_answers_and_nothing_is_sent(
    told: dict[str, Any], carrier: FakeProviders
) -> None:
    assert said(Level.WRONG, told) == []
    fine = " ".join(said(Level.OK, told))
    assert f"and its webhook is {told['KEPT_PUBLIC_URL']}/hooks/twilio/inbound" in fine
    assert "the mail server is ready" in fine
    assert f"Public address: {told['KEPT_PUBLIC_URL']} answers." in fine
    assert carrier.texts() == ()
    assert carrier.mailbox.mails_to("desk@acme.example") == ()


def test_empty_organisation_is_warned_of(told: dict[str, Any]) -> None:
    warned = " ".join(said(Level.WARNING, told))
    for subject in ("Staff: nobody yet", "Workflows: none yet", "Worker: none has given a sign"):
        assert subject in warned


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("TWILIO_AUTH_TOKEN", "another token", "refuses TWILIO_ACCOUNT_SID with TWILIO_AUTH_TOKEN"),
        ("TWILIO_FROM_NUMBER", "+14155550199", "the account has no number +14155550199"),
        ("TWILIO_API_URL", "http://127.0.0.1:{closed}", "cannot be reached"),
        ("SMTP_URL", "smtp://127.0.0.1:{closed}", "E-mail: the server of SMTP_URL takes none"),
        ("KEPT_FILES_DIR", "/proc/nope", "Files: nothing can be written in /proc/nope"),
    ],
)
def test_wrong_setting_is_named(told: dict[str, Any], name: str, value: str, sentence: str) -> None:
    (wrong,) = said(Level.WRONG, {**told, name: value.format(closed=closed_port())})
    assert sentence in wrong


def test_webhook_that_leads_elsewhere_is_wrong(
    told: dict[str, Any], carrier: FakeProviders
) -> None:
    carrier.inbound_url = "http://127.0.0.1:9/elsewhere"
    (wrong,) = said(Level.WRONG, told)
    assert f"set its webhook to {told['KEPT_PUBLIC_URL']}/hooks/twilio/inbound" in wrong


def test_public_address_of_another_server_or_clock_is_wrong(
    told: dict[str, Any], carrier: FakeProviders
) -> None:
    del told["TWILIO_ACCOUNT_SID"], told["TWILIO_AUTH_TOKEN"]
    del told["TWILIO_FROM_NUMBER"], told["TWILIO_API_URL"]
    with public_address(b"Welcome to nginx!") as origin:
        (wrong,) = said(Level.WRONG, {**told, "KEPT_PUBLIC_URL": origin})
    assert "leads to another server" in wrong
    with public_address(date="Tue, 03 Jun 2025 14:00:00 GMT") as origin:
        (wrong,) = said(Level.WRONG, {**told, "KEPT_PUBLIC_URL": origin})
    assert "its clock differs by" in wrong


def test_misspelt_name_in_the_env_file_is_reported(told: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("KEPT_BRNAD=Acme\n")
    (wrong,) = said(Level.WRONG, told)
    assert wrong == "Settings: Kept has no setting KEPT_BRNAD (in .env); did you mean KEPT_BRAND?"
