"""Settings: what is read, what is rejected with which sentence, and that all are documented."""

import re
import stat
from datetime import time
from pathlib import Path

import pytest
from itsdangerous import URLSafeSerializer

from portal.messaging.email.signed_addresses import find_request_id, reply_address
from portal.settings import QuietHours, Settings, SettingsError
from portal.settings.old_names import NEW_NAMES

DOCS = Path(__file__).parent.parent / "docs" / "settings.md"
LIMITS = "Reverse proxy and limits"
NAMES = [
    *(Settings.environment_name(name) for name in Settings.model_fields),
    *NEW_NAMES,
]
KEYS = {
    "new": "nine-unrelated-words-of-the-new-key",
    "old": "some-other-words-of-the-key-before-it",
}
WEAK_KEY = "KEPT_SECRET_KEY must be 16 or more random characters"
TWILIO = {
    "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
    "TWILIO_AUTH_TOKEN": "a-token-to-hide",
    "TWILIO_FROM_NUMBER": "+14155550132",
}


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch, tmp_path):
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def load_with(monkeypatch):
    """A function that sets these variables and loads the settings."""

    def load(**variables):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return Settings.load()

    return load


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


@pytest.mark.parametrize("name", ["DATABASE_URL", "REDIS_URL", "SMTP_URL", "TWILIO_ACCOUNT_SID"])
def test_error_never_shows_the_value(load_with, name):
    with pytest.raises(SettingsError) as error:
        load_with(**TWILIO | {name: "wrong://me:hunter2@host"})
    assert "hunter2" not in str(error.value)
    assert error.value.__cause__ is None
    assert error.value.__context__ is None


def test_printed_settings_show_no_secrets(load_with):
    settings = load_with(
        **TWILIO,
        KEPT_SECRET_KEY="a-key-to-hide-" + KEYS["new"],
        DATABASE_URL="postgresql://me:to-hide@db/kept",
        REDIS_URL="redis://:to-hide@queue",
        SMTP_URL="smtp://me:to-hide@mail",
        KEPT_MAIL_FROM="Kept <kept@example.com>",
        KEPT_MAIL_HOOK_TOKEN="hook-to-hide",
    )
    assert "to-hide" not in repr(settings)
    assert "to-hide" not in str(settings)


def test_several_keys_and_tokens_are_separated_by_commas(load_with):
    """The first is used and the others are still accepted, so that keys can be rotated."""
    settings = load_with(
        **TWILIO | {"TWILIO_AUTH_TOKEN": "new, old"},
        KEPT_SECRET_KEY=f"{KEYS['new']}, {KEYS['old']}",
    )
    assert [token.get_secret_value() for token in settings.twilio_auth_tokens] == ["new", "old"]
    assert [key.get_secret_value() for key in settings.secret_keys] == [KEYS["new"], KEYS["old"]]
    assert settings.sends_texts


def test_what_either_key_signs_is_accepted_while_keys_are_rotated(load_with):
    """First every process has `old,new`, then each restarts with `new,old`."""
    mail = {"SMTP_URL": "smtp://mail", "KEPT_MAIL_FROM": "kept@example.com"}
    first = load_with(KEPT_SECRET_KEY=f"{KEYS['old']},{KEYS['new']}", **mail)
    second = load_with(KEPT_SECRET_KEY=f"{KEYS['new']},{KEYS['old']}", **mail)
    for signing, reading in ((first, second), (second, first)):
        assert find_request_id(reading, reply_address(signing, 7)) == 7
        signed = URLSafeSerializer(signing.signing_keys, salt="x").dumps("content")
        assert URLSafeSerializer(reading.signing_keys, salt="x").loads(signed) == "content"


def test_secret_key_is_created_once_with_mode_0600(tmp_path):
    first, second = Settings.load(), Settings.load()
    assert not (tmp_path / "data").exists(), "loading alone writes nothing"
    (key,) = first.secret_keys
    assert second.secret_keys == (key,)
    assert len(key.get_secret_value()) >= 32
    path = tmp_path / "data" / "secret_key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["secret_key"]


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


def test_fake_providers_have_no_setting():
    """Only `kept demo` starts them, so no variable can start them beside real customers."""
    assert not [name for name in NAMES if "SIMULAT" in name or "DEMO" in name]


def documented_rows(heading):
    """The rows of the tables under this heading of docs/settings.md: first cell, last cell."""
    section = DOCS.read_text().partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return dict(re.findall(r"^\| `(\w+)` \| (?:.+ \| )?(.+) \|$", section, re.MULTILINE))


def test_every_setting_and_its_description_are_documented():
    headings = [
        "Storage",
        "Brand and access",
        "Texts",
        "E-mail",
        "Third parties",
        "Processes",
        LIMITS,
        "Retention",
    ]
    rows = {name: text for heading in headings for name, text in documented_rows(heading).items()}
    described = {
        Settings.environment_name(name): field.description
        for name, field in Settings.model_fields.items()
    }
    assert rows == described


def test_every_old_name_is_documented():
    assert documented_rows("Renamed settings") == {
        old: f"`{new}`" for old, new in NEW_NAMES.items()
    }


@pytest.mark.parametrize(
    ("old", "new", "value"),
    [
        ("KEPT_LARGEST_FILE", "max_upload_bytes", "1000"),
        ("KEPT_CODE_FOR", "verify_for", "nothing"),
        ("KEPT_TEXTS_A_NUMBER", "max_texts_per_number_per_day", "7"),
        ("KEPT_TEXTS_A_REQUEST", "max_texts_per_request", "7"),
        ("KEPT_PARTS_A_MONTH", "max_segments_per_month", "7"),
        ("KEPT_RECONCILE_AFTER", "reconcile_seconds", "7"),
        ("KEPT_POLL_AFTER", "receipt_poll_seconds", "7"),
        ("KEPT_SWEEP_EVERY", "sweep_seconds", "7"),
    ],
)
def test_old_name_is_accepted_with_one_warning(load_with, caplog, old, new, value):
    """The warning names both variables and never a value; one for each start."""
    settings = load_with(**{old: value})
    assert str(getattr(settings, new)).removesuffix(".0") == value
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert record.getMessage() == (
        f"{old} is now named {Settings.environment_name(new)}; "
        "the old name is accepted in this release only."
    )


@pytest.mark.parametrize("place_of_new", ["environment", "file"])
def test_new_name_wins_over_the_old_one(load_with, caplog, tmp_path, place_of_new):
    """Also where the old one stands in the environment and the new one in `.env`."""
    variables = {"KEPT_SWEEP_EVERY": "9"}
    if place_of_new == "file":
        (tmp_path / ".env").write_text("KEPT_SWEEP_SECONDS=7\n")
    else:
        variables["KEPT_SWEEP_SECONDS"] = "7"
    assert load_with(**variables).sweep_seconds == 7
    assert caplog.messages == [
        "KEPT_SWEEP_EVERY is now named KEPT_SWEEP_SECONDS; the old name is ignored."
    ]


def test_old_name_in_the_env_file_is_warned_of(load_with, caplog, tmp_path):
    (tmp_path / ".env").write_text("KEPT_SWEEP_EVERY=9\n")
    assert load_with().sweep_seconds == 9
    assert "KEPT_SWEEP_SECONDS" in caplog.text


def test_new_names_are_not_warned_of(load_with, caplog):
    load_with(KEPT_SWEEP_SECONDS="9")
    assert not caplog.records
