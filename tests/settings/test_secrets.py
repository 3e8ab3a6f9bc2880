"""Secrets in the settings: never shown, rotated by a second one, the key file created once."""

import stat

import pytest
from itsdangerous import URLSafeSerializer

from portal.messaging.email.signed_addresses import find_request_id, reply_address
from portal.settings import Settings, SettingsError
from tests.settings.conftest import KEYS, TWILIO


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
