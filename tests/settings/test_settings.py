"""Settings: what is read, and what is rejected with which sentence."""

from datetime import time

import pytest

from portal.settings import QuietHours, Settings, SettingsError
from tests.settings.conftest import KEYS, TWILIO

WEAK_KEY = "KEPT_SECRET_KEY must be 16 or more random characters"


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


def test_environment_wins_over_env_file_and_override_over_both(tmp_path, load_with):
    (tmp_path / ".env").write_text("KEPT_BRAND=File\nKEPT_SWEEP_SECONDS=9\nOTHER=x\n")
    settings = load_with(KEPT_BRAND="Environment")
    assert (settings.brand, settings.sweep_seconds) == ("Environment", 9)
    assert Settings.load(brand="Override").brand == "Override"


def test_empty_setting_counts_as_not_set(load_with):
    settings = load_with(TWILIO_ACCOUNT_SID="", KEPT_BRAND="", REDIS_URL="")
    assert settings.brand == "Kept"
    assert settings.needs_embedded_redis


def test_undocumented_variables_set_nothing(load_with):
    """BRAND and DATA_DIR may belong to another program."""
    settings = load_with(BRAND="Other", brand="other", DATA_DIR="/nowhere")
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
def test_database_url_gets_the_async_driver(load_with, given, url):
    assert load_with(DATABASE_URL=given, KEPT_SECRET_KEY=KEYS["new"]).database_url == url


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
        ({"KEPT_SECRET_KEY": "password"}, WEAK_KEY),
        ({"KEPT_SECRET_KEY": "a-15-letter-key"}, WEAK_KEY),
        ({"KEPT_SECRET_KEY": KEYS["new"] + ",weak"}, WEAK_KEY),
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
        ({"KEPT_SWEEP_SECONDS": "often"}, "KEPT_SWEEP_SECONDS must be a number"),
        ({"KEPT_RECONCILE_SECONDS": "-1"}, "KEPT_RECONCILE_SECONDS must be more than 0"),
        ({"KEPT_TRUSTED_PROXIES": "proxy"}, "KEPT_TRUSTED_PROXIES must be addresses or networks"),
        ({"KEPT_TRUSTED_PROXIES": "10.0.0.1/8"}, "KEPT_TRUSTED_PROXIES must be addresses or"),
        ({"KEPT_MAX_CONNECTIONS": "0"}, "KEPT_MAX_CONNECTIONS must be more than 0"),
        ({"KEPT_KEEP_FILES_DAYS": "1000000"}, "KEPT_KEEP_FILES_DAYS is too large"),
        ({"KEPT_METRICS": "perhaps"}, "KEPT_METRICS must be true or false"),
    ],
)
def test_wrong_or_incomplete_setting_is_named(load_with, variables, sentence):
    with pytest.raises(SettingsError) as error:
        load_with(**variables)
    text = str(error.value)
    assert sentence in text
    assert text.endswith(".")
    assert "\n" not in text


def test_public_url_has_no_trailing_slash(load_with):
    assert (
        load_with(KEPT_PUBLIC_URL="https://Kept.example.com/").public_url
        == "https://kept.example.com"
    )


def test_email_quiet_hours_default_to_those_of_texts(load_with):
    """E-mail may have other quiet hours, or none."""
    assert load_with(KEPT_QUIET_HOURS="off").mail_quiet_hours is None
    settings = load_with(KEPT_QUIET_HOURS="20:00-09:00")
    assert str(settings.mail_quiet_hours) == str(settings.quiet_hours) == "20:00-09:00"
    assert str(load_with(KEPT_MAIL_QUIET_HOURS="23:00-06:00").mail_quiet_hours) == "23:00-06:00"
    settings = load_with(KEPT_MAIL_QUIET_HOURS="off")
    assert (settings.mail_quiet_hours, str(settings.quiet_hours)) == (None, "20:00-09:00")


def test_quiet_hours_can_be_off(load_with):
    assert load_with(KEPT_QUIET_HOURS="off").quiet_hours is None
