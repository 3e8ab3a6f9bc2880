"""Settings: what is read, what is refused and with which words, and that all are documented."""

import re
import stat
from datetime import time
from pathlib import Path

import pytest

from portal.settings import QuietHours, Settings, SettingsError

DOCS = Path(__file__).parent.parent / "docs" / "settings.md"
NAMES = [Settings.environment_name(name) for name in Settings.model_fields]
TWILIO = {
    "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
    "TWILIO_AUTH_TOKEN": "a-token-to-hide",
    "TWILIO_FROM_NUMBER": "+14155550132",
}


@pytest.fixture(autouse=True)
def _nothing_is_set(monkeypatch, tmp_path):
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def tell(monkeypatch):
    """Set variables and load."""

    def tell(**variables):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return Settings.load()

    return tell


def test_one_machine_needs_no_setting(tmp_path):
    settings = Settings.load()
    assert settings.data_dir == tmp_path / "data"
    assert settings.database_url == f"sqlite+aiosqlite:///{tmp_path}/data/kept.db"
    assert settings.public_url == "http://127.0.0.1:8000"
    assert settings.quiet_hours == QuietHours(time(21), time(8))
    assert settings.brand == "Kept"
    assert settings.is_single_machine
    assert settings.needs_embedded_redis
    assert not settings.sends_texts
    assert not settings.sends_mail


def test_the_environment_wins_over_the_file_and_an_override_over_both(tmp_path, tell):
    (tmp_path / ".env").write_text("KEPT_BRAND=File\nKEPT_SWEEP_EVERY=9\nOTHER=x\n")
    settings = tell(KEPT_BRAND="Environment")
    assert (settings.brand, settings.sweep_seconds) == ("Environment", 9)
    assert Settings.load(brand="Override").brand == "Override"


def test_an_empty_setting_counts_as_not_set(tell):
    settings = tell(TWILIO_ACCOUNT_SID="", KEPT_BRAND="", REDIS_URL="")
    assert settings.brand == "Kept"
    assert settings.needs_embedded_redis


def test_a_variable_of_another_program_is_not_ours(tell):
    """Only the documented name sets anything: BRAND and DATA_DIR may mean something else."""
    settings = tell(BRAND="Other", brand="other", DATA_DIR="/nowhere")
    assert settings.brand == "Kept"
    assert settings.data_dir.name == "data"


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("postgres://me:pw@db/kept", "postgresql+asyncpg://me:pw@db/kept"),
        ("postgresql://db/kept?sslmode=require", "postgresql+asyncpg://db/kept?ssl=require"),
        ("postgresql+psycopg://db/kept", "postgresql+asyncpg://db/kept"),
        ("sqlite:////var/kept.db", "sqlite+aiosqlite:////var/kept.db"),
    ],
)
def test_a_database_url_gets_the_async_driver(tell, given, url):
    assert tell(DATABASE_URL=given, KEPT_SECRET_KEY="k" * 32).database_url == url


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"DATABASE_URL": "mysql://db/kept"}, "DATABASE_URL must be a PostgreSQL or an SQLite"),
        ({"DATABASE_URL": "kept"}, "DATABASE_URL must be a URL"),
        ({"DATABASE_URL": "postgresql://db:port/kept"}, "DATABASE_URL must be a URL"),
        ({"DATABASE_URL": "sqlite://"}, "DATABASE_URL must name a file"),
        ({"DATABASE_URL": "sqlite:///:memory:"}, "DATABASE_URL must name a file"),
        ({"DATABASE_URL": "postgresql://db/kept"}, "KEPT_SECRET_KEY must be set when"),
        ({"REDIS_URL": "127.0.0.1:6379"}, "REDIS_URL must be a URL"),
        ({"REDIS_URL": "http://127.0.0.1"}, "REDIS_URL must be a URL"),
        ({"REDIS_URL": "redis://host:none"}, "REDIS_URL must be a URL"),
        ({"KEPT_PUBLIC_URL": "kept.example.com"}, "KEPT_PUBLIC_URL must be an origin"),
        ({"KEPT_PUBLIC_URL": "https://kept.example.com/a"}, "KEPT_PUBLIC_URL must be an origin"),
        ({"KEPT_PUBLIC_URL": "https://me@kept.example.com"}, "KEPT_PUBLIC_URL must be an origin"),
        ({"KEPT_PUBLIC_URL": "ftp://kept.example.com"}, "KEPT_PUBLIC_URL must be an origin"),
        ({"KEPT_SECRET_KEY": "short"}, "KEPT_SECRET_KEY is too short"),
        ({"KEPT_QUIET_HOURS": "nine to five"}, "KEPT_QUIET_HOURS must look like"),
        ({"KEPT_MAIL_QUIET_HOURS": "late"}, "KEPT_MAIL_QUIET_HOURS must look like"),
        ({"KEPT_QUIET_HOURS": "25:00-08:00"}, "KEPT_QUIET_HOURS must look like"),
        ({"KEPT_QUIET_HOURS": "08:00-08:00"}, "KEPT_QUIET_HOURS must look like"),
        ({"TWILIO_AUTH_TOKEN": "x"}, "TWILIO_ACCOUNT_SID must be set too"),
        ({"TWILIO_API_URL": "http://127.0.0.1:1"}, "TWILIO_ACCOUNT_SID must be set too"),
        (TWILIO | {"TWILIO_AUTH_TOKEN": ""}, "TWILIO_AUTH_TOKEN must be set too"),
        (TWILIO | {"TWILIO_AUTH_TOKEN": " , "}, "TWILIO_AUTH_TOKEN must be set too"),
        (TWILIO | {"TWILIO_FROM_NUMBER": ""}, "TWILIO_FROM_NUMBER or TWILIO_MESSAGING_SERVICE_SID"),
        (TWILIO | {"TWILIO_MESSAGING_SERVICE_SID": "MG1"}, "are both set"),
        (TWILIO | {"TWILIO_FROM_NUMBER": "415 555 0132"}, "TWILIO_FROM_NUMBER must be a phone"),
        (TWILIO | {"TWILIO_ACCOUNT_SID": "me"}, "TWILIO_ACCOUNT_SID must be an account sid"),
        (TWILIO | {"TWILIO_API_URL": "localhost:9"}, "TWILIO_API_URL must be a URL"),
        ({"SMTP_URL": "mail.example.com"}, "SMTP_URL must be a URL"),
        ({"KEPT_DATA_DIR": "/dev/null/kept"}, "KEPT_DATA_DIR must name a folder"),
        ({"SMTP_URL": "smtp://mail.example.com"}, "KEPT_MAIL_FROM must be set too"),
        ({"KEPT_MAIL_FROM": "kept@example.com"}, "SMTP_URL must be set too"),
        ({"SMTP_URL": "smtp://h", "KEPT_MAIL_FROM": "Kept"}, "KEPT_MAIL_FROM must be a mail"),
        ({"SMTP_URL": "smtp://h", "KEPT_MAIL_FROM": "a@b\nBcc: c@d"}, "KEPT_MAIL_FROM must be a"),
        ({"KEPT_PROVIDER_RATE": "0"}, "KEPT_PROVIDER_RATE must be more than 0"),
        ({"KEPT_PROVIDER_RATE": "nan"}, "KEPT_PROVIDER_RATE must be an ordinary number"),
        ({"KEPT_SWEEP_EVERY": "often"}, "KEPT_SWEEP_EVERY must be a number"),
        ({"KEPT_RECONCILE_AFTER": "-1"}, "KEPT_RECONCILE_AFTER must be more than 0"),
        ({"KEPT_METRICS": "perhaps"}, "KEPT_METRICS must be true or false"),
    ],
)
def test_a_wrong_or_half_set_setting_is_named(tell, variables, sentence):
    with pytest.raises(SettingsError) as refusal:
        tell(**variables)
    words = str(refusal.value)
    assert sentence in words
    assert words.endswith(".")
    assert "\n" not in words


@pytest.mark.parametrize("name", ["DATABASE_URL", "REDIS_URL", "SMTP_URL", "TWILIO_ACCOUNT_SID"])
def test_a_refusal_never_shows_the_value(tell, name):
    with pytest.raises(SettingsError) as refusal:
        tell(**TWILIO | {name: "wrong://me:hunter2@host"})
    assert "hunter2" not in str(refusal.value)
    assert refusal.value.__cause__ is None
    assert refusal.value.__context__ is None


def test_secrets_do_not_show_when_settings_are_printed(tell):
    settings = tell(
        **TWILIO,
        KEPT_SECRET_KEY="key-to-hide-key-to-hide",
        DATABASE_URL="postgresql://me:to-hide@db/kept",
        REDIS_URL="redis://:to-hide@queue",
        SMTP_URL="smtp://me:to-hide@mail",
        KEPT_MAIL_FROM="Kept <kept@example.com>",
        KEPT_MAIL_HOOK_TOKEN="hook-to-hide",
    )
    assert "to-hide" not in repr(settings)
    assert "to-hide" not in str(settings)


def test_several_keys_and_tokens_are_parted_by_commas(tell):
    """The first is used, the older are still accepted, so that both can be changed in peace."""
    settings = tell(
        **TWILIO | {"TWILIO_AUTH_TOKEN": "new, old"}, KEPT_SECRET_KEY="newer-key,older-key"
    )
    assert [token.get_secret_value() for token in settings.twilio_auth_tokens] == ["new", "old"]
    assert [key.get_secret_value() for key in settings.secret_keys] == ["newer-key", "older-key"]
    assert settings.sends_texts


def test_a_secret_key_is_made_once_and_kept_for_us_alone(tmp_path):
    first, second = Settings.load(), Settings.load()
    assert not (tmp_path / "data").exists(), "loading alone writes nothing"
    (key,) = first.secret_keys
    assert second.secret_keys == (key,)
    assert len(key.get_secret_value()) >= 32
    kept = tmp_path / "data" / "secret_key"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert [path.name for path in kept.parent.iterdir()] == ["secret_key"]


def test_the_public_origin_has_no_slash_at_its_end(tell):
    assert (
        tell(KEPT_PUBLIC_URL="https://Kept.example.com/").public_url == "https://kept.example.com"
    )


def test_mail_has_the_same_quiet_hours_until_it_is_given_its_own(tell):
    """One setting is enough; a mail wakes nobody, so it may have other hours or none."""
    assert tell(KEPT_QUIET_HOURS="off").mail_quiet_hours is None
    told = tell(KEPT_QUIET_HOURS="20:00-09:00")
    assert str(told.mail_quiet_hours) == str(told.quiet_hours) == "20:00-09:00"
    assert str(tell(KEPT_MAIL_QUIET_HOURS="23:00-06:00").mail_quiet_hours) == "23:00-06:00"
    told = tell(KEPT_MAIL_QUIET_HOURS="off")
    assert (told.mail_quiet_hours, str(told.quiet_hours)) == (None, "20:00-09:00")


def test_quiet_hours_can_be_off(tell):
    assert tell(KEPT_QUIET_HOURS="off").quiet_hours is None


def test_the_simulated_carrier_is_no_setting():
    """Nothing but `kept demo` starts it, so no variable can put it beside real customers."""
    assert not [name for name in NAMES if "SIMULAT" in name or "DEMO" in name]


def test_every_setting_stands_in_the_docs_with_its_sentence():
    rows = dict(re.findall(r"^\| `(\w+)` \| .+? \| (.+) \|$", DOCS.read_text(), re.MULTILINE))
    described = {
        Settings.environment_name(name): field.description
        for name, field in Settings.model_fields.items()
    }
    assert rows == described
