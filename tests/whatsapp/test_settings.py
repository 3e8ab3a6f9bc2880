"""The settings of WhatsApp: refused with a sentence that names what is wrong."""

from pathlib import Path

import pytest

from portal.errors import SettingsError
from portal.models import MessageKind
from portal.settings import Settings
from portal.whatsapp import KINDS, WhatsAppTemplates
from tests.whatsapp.conftest import SERVICE

SID = "HX" + "0" * 32
FILE = f"""
[default.en]
content_sid = "{SID}"
content_variables = {{ 1 = "text", 2 = "link" }}

[milestone.es]
content_sid = "{SID[:-1]}1"
"""


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """Nothing is set but a Twilio account with a messaging service."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(Settings.environment_name(name), raising=False)
    monkeypatch.setenv("TWILIO_ACCOUNT_SID", "AC" + "0" * 32)
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "the token of the tests")
    monkeypatch.setenv("TWILIO_MESSAGING_SERVICE_SID", SERVICE)
    return monkeypatch


def test_templates_are_found_by_kind_and_language(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "templates.toml").write_text(FILE, encoding="utf-8")
    environment.setenv("KEPT_WHATSAPP", "true")
    environment.setenv("KEPT_WHATSAPP_TEMPLATES", "templates.toml")
    settings = Settings.load()
    templates = settings.whatsapp_templates
    assert settings.whatsapp_window_seconds == 86_400
    assert templates is not None
    hold = templates.find("hold", "en")
    assert hold is not None
    assert (hold.content_sid, hold.variables) == (SID, {"1": "text", "2": "link"})
    assert templates.find("milestone", "es") is not None
    assert templates.find("hold", "es") is None, "never in another language"
    assert templates.find("code", "en") is None
    assert templates.missing("en") == []
    assert "milestone" not in templates.missing("es")
    assert "hold" in templates.missing("es")


def test_kinds_are_those_of_messages_to_customers() -> None:
    others = {MessageKind.CODE, MessageKind.CUSTOMER, MessageKind.AUTOMATIC, MessageKind.NOTICE}
    assert {kind.value for kind in set(MessageKind) - others} == KINDS


def test_variables_are_in_one_line_and_none_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "templates.toml"
    path.write_text(FILE, encoding="utf-8")
    template = WhatsAppTemplates.read(path).find("hold", "en")
    assert template is not None
    assert template.content_variables(
        {"text": "One\n\ttwo", "link": "https://kept.example/r/1"}
    ) == ('{"1": "One two", "2": "https://kept.example/r/1"}')
    assert not template.can_be_filled({"link": ""})


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[milestone", "must name a TOML file"),
        (f'[news.en]\ncontent_sid = "{SID}"', "has a table [news], which is no kind of message"),
        (f'[code.en]\ncontent_sid = "{SID}"', "has a table [code], which is no kind of message"),
        ('hold = "HX"', "needs a language in each table of hold"),
        (f'[hold.fr]\ncontent_sid = "{SID}"', "has a table [hold.fr]; the languages are"),
        ('[hold.en]\ncontent_sid = "HX1"', "needs in [hold.en] a content_sid"),
        (f'[hold.en]\ncontent_sid = "{SID}"\nbody = ""', "has other keys in [hold.en]"),
        (
            f'[hold.en]\ncontent_sid = "{SID}"\ncontent_variables = {{ 1 = "words" }}',
            "fills variable 1 in [hold.en] with something else",
        ),
        (
            f'[hold.en]\ncontent_sid = "{SID}"\ncontent_variables = {{ 1 = ["text"] }}',
            "fills variable 1 in [hold.en] with something else",
        ),
        (
            f'[hold.en]\ncontent_sid = "{SID}"\ncontent_variables = {{ "a b" = "text" }}',
            "has in [hold.en] a variable whose name",
        ),
    ],
)
def test_unusable_file_stops_the_start(
    text: str, sentence: str, environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "templates.toml").write_text(text, encoding="utf-8")
    environment.setenv("KEPT_WHATSAPP", "true")
    environment.setenv("KEPT_WHATSAPP_TEMPLATES", "templates.toml")
    with pytest.raises(SettingsError) as refusal:
        Settings.load()
    assert str(refusal.value).startswith(f"KEPT_WHATSAPP_TEMPLATES {sentence}")


def test_missing_file_stops_the_start(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("KEPT_WHATSAPP", "true")
    environment.setenv("KEPT_WHATSAPP_TEMPLATES", "nowhere.toml")
    with pytest.raises(SettingsError, match="KEPT_WHATSAPP_TEMPLATES must name a file"):
        Settings.load()


def test_whatsapp_needs_the_messaging_service(environment: pytest.MonkeyPatch) -> None:
    environment.delenv("TWILIO_MESSAGING_SERVICE_SID")
    environment.setenv("TWILIO_FROM_NUMBER", "+15005550006")
    environment.setenv("KEPT_WHATSAPP", "true")
    with pytest.raises(SettingsError, match="TWILIO_MESSAGING_SERVICE_SID must be set"):
        Settings.load()


def test_templates_without_whatsapp_stop_the_start(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "templates.toml").write_text(FILE, encoding="utf-8")
    environment.setenv("KEPT_WHATSAPP_TEMPLATES", "templates.toml")
    with pytest.raises(SettingsError, match="KEPT_WHATSAPP must be true too"):
        Settings.load()


@pytest.mark.parametrize("seconds", ["0", "-1", "86401", "a day"])
def test_window_is_at_most_a_day(seconds: str, environment: pytest.MonkeyPatch) -> None:
    environment.setenv("KEPT_WHATSAPP_WINDOW_SECONDS", seconds)
    with pytest.raises(SettingsError, match="KEPT_WHATSAPP_WINDOW_SECONDS"):
        Settings.load()
