"""All settings of a process, validated as a whole.

A wrong or incomplete setting stops the start with a sentence that names it, never its value.
"""

import os
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from pydantic import SecretStr, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from sqlalchemy.engine import make_url

from portal.branding.theme import Theme
from portal.carriers import Carriers, shipped_carriers
from portal.errors import SettingsError
from portal.settings.edge import EdgeSettings
from portal.settings.identity import IdentitySettings
from portal.settings.messaging import MessagingSettings
from portal.settings.old_names import accept_old_names
from portal.settings.processes import ProcessSettings
from portal.settings.retention import RetentionSettings
from portal.settings.secret_key import is_guessable, load_or_create_secret_key
from portal.settings.storage import StorageSettings
from portal.settings.third_parties import ThirdPartySettings

ERROR_TEXTS = {
    "bool_parsing": "must be true or false.",
    "literal_error": "must be one of the values that docs/settings.md lists for it.",
    "float_parsing": "must be a number.",
    "finite_number": "must be an ordinary number.",
    "greater_than": "must be more than 0.",
    "greater_than_equal": "is too small.",
    "less_than_equal": "is too large.",
    "int_parsing": "must be a whole number.",
    "int_from_float": "must be a whole number.",
    "string_too_short": "must not be empty.",
}


class Settings(
    RetentionSettings,
    EdgeSettings,
    ProcessSettings,
    ThirdPartySettings,
    MessagingSettings,
    IdentitySettings,
    StorageSettings,
):
    """The settings of this process; see docs/settings.md.

    The alias of a field is its name in the environment. Get an instance from `Settings.load()`.
    """

    model_config = SettingsConfigDict(
        env_file=".env",
        env_ignore_empty=True,
        case_sensitive=True,
        extra="ignore",
        frozen=True,
        validate_default=True,
        hide_input_in_errors=True,
    )

    @classmethod
    def load(cls, **overrides: Any) -> Self:
        """Read the environment and `.env`; `overrides`, by attribute, win over both.

        Logs a warning for each setting that is given by its old name. Raises SettingsError, which
        names the setting as the environment does, never its value.
        """
        values = {cls.environment_name(name): value for name, value in overrides.items()}
        try:
            return cls(**values)
        except ValidationError as invalid:
            error = invalid.errors(include_url=False)[0]
        location, text = error["loc"], ERROR_TEXTS.get(error["type"], "")
        text = text or str(error["msg"]).removeprefix("Value error, ")
        raise SettingsError(f"{location[0]} {text}" if location else text)

    @classmethod
    def environment_name(cls, attribute: str) -> str:
        """The variable that sets this attribute: `brand` is set by KEPT_BRAND."""
        return str(cls.model_fields[attribute].validation_alias)

    @classmethod
    def settings_customise_sources(  # noqa: D102 (a hook of pydantic-settings)
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 (part of the hook)
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 (part of the hook)
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        variables = [
            source
            for source in (env_settings, dotenv_settings)
            if isinstance(source, EnvSettingsSource)
        ]
        accept_old_names(*variables)
        return init_settings, *variables

    @cached_property
    def secret_keys(self) -> tuple[SecretStr, ...]:
        """Signing keys, newest first: the first signs, all are accepted.

        On one machine without a configured key, one is created in the data folder.
        """
        created = self.data_dir / "secret_key"
        return self.configured_secret_keys or (load_or_create_secret_key(created),)

    @property
    def signing_keys(self) -> list[str]:
        """The secret keys for itsdangerous, which signs with the last and accepts all."""
        return [key.get_secret_value() for key in reversed(self.secret_keys)]

    @property
    def sign_in_idle(self) -> timedelta:
        """How long a sign-in at the desk lasts without use."""
        return timedelta(hours=self.sign_in_idle_hours)

    @property
    def sign_in_longest(self) -> timedelta:
        """How long a sign-in at the desk lasts at most."""
        return timedelta(hours=self.sign_in_max_hours)

    @property
    def public_host(self) -> str:
        """The host name of `public_url`, to which a phone may bind a verification code."""
        return urlsplit(self.public_url).hostname or ""

    @cached_property
    def theme(self) -> Theme:
        """The colours and the logo of customer pages."""
        return Theme(self.accent, self.logo)

    @property
    def all_carriers(self) -> Carriers:
        """The carriers that Kept knows, and those of the file that `carriers` names."""
        return self.carriers or shipped_carriers()

    @property
    def is_single_machine(self) -> bool:
        """Whether the database is a local file, which no other machine can share."""
        return self.database_url.startswith("sqlite")

    @property
    def database_path(self) -> Path | None:
        """The file of a SQLite database; None for PostgreSQL."""
        place = make_url(self.database_url).database if self.is_single_machine else None
        return Path(place) if place else None

    @property
    def has_database(self) -> bool:
        """False where it is a SQLite file that does not exist yet."""
        return self.database_path is None or self.database_path.exists()

    @property
    def needs_embedded_redis(self) -> bool:
        """Whether no Redis is configured, so that `kept serve` starts its own."""
        return self.redis_url is None

    @property
    def sends_texts(self) -> bool:
        """Whether a Twilio account is configured."""
        return self.twilio_account_sid is not None

    @property
    def sends_mail(self) -> bool:
        """Whether a mail server is configured."""
        return self.smtp_url is not None

    @model_validator(mode="after")
    def _data_dir_is_writable(self) -> Self:
        if self.is_single_machine and not _can_be_a_folder(self.data_dir):
            msg = "KEPT_DATA_DIR must name a folder that we may write in."
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _secret_key_is_shared(self) -> Self:
        if not self.configured_secret_keys and not self.is_single_machine:
            msg = (
                "KEPT_SECRET_KEY must be set when DATABASE_URL names another machine: every "
                "process needs the same key."
            )
            raise ValueError(msg)
        if any(is_guessable(key.get_secret_value()) for key in self.configured_secret_keys):
            msg = (
                "KEPT_SECRET_KEY must be 16 or more random characters, each key of several: "
                "`openssl rand -hex 32` prints one."
            )
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _twilio_is_complete(self) -> Self:
        sender = (self.twilio_messaging_service_sid, self.twilio_from_number)
        parts = (self.twilio_account_sid, self.twilio_auth_tokens, self.twilio_api_url, *sender)
        if not any(parts):
            return self
        if not self.twilio_account_sid:
            msg = "TWILIO_ACCOUNT_SID must be set too: other settings of Twilio are."
        elif not self.twilio_auth_tokens:
            msg = "TWILIO_AUTH_TOKEN must be set too: TWILIO_ACCOUNT_SID is."
        elif not any(sender):
            msg = "TWILIO_FROM_NUMBER or TWILIO_MESSAGING_SERVICE_SID must be set, to send from."
        elif all(sender):
            msg = (
                "TWILIO_FROM_NUMBER and TWILIO_MESSAGING_SERVICE_SID are both set: "
                "keep one, to send from."
            )
        else:
            return self
        raise ValueError(msg)

    @model_validator(mode="after")
    def _whatsapp_is_complete(self) -> Self:
        if self.whatsapp and not self.twilio_messaging_service_sid:
            msg = (
                "TWILIO_MESSAGING_SERVICE_SID must be set, in place of TWILIO_FROM_NUMBER: "
                "KEPT_WHATSAPP is on, and the service has the WhatsApp sender."
            )
            raise ValueError(msg)
        if self.whatsapp_templates and not self.whatsapp:
            msg = "KEPT_WHATSAPP must be true too: KEPT_WHATSAPP_TEMPLATES is set."
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _mail_is_complete(self) -> Self:
        if self.smtp_url and not self.mail_from:
            msg = "KEPT_MAIL_FROM must be set too: SMTP_URL is."
            raise ValueError(msg)
        if self.mail_from and not self.smtp_url:
            msg = "SMTP_URL must be set too: KEPT_MAIL_FROM is."
            raise ValueError(msg)
        return self


def _can_be_a_folder(path: Path) -> bool:
    """Whether it is a writable folder, or can be created in the nearest existing parent."""
    existing = next(parent for parent in (path, *path.parents) if parent.exists())
    return existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)
