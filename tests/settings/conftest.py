"""An environment without settings, and a function that loads them."""

import pytest

from portal.settings import Settings
from portal.settings.old_names import NEW_NAMES

NAMES = [
    *(Settings.environment_name(name) for name in Settings.model_fields),
    *NEW_NAMES,
]
KEYS = {
    "new": "nine-unrelated-words-of-the-new-key",
    "old": "some-other-words-of-the-key-before-it",
}
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
