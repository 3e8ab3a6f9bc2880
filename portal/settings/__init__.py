"""Every setting, read once from the environment or `.env`, each with a sentence.

A wrong or half-set setting stops the start with a sentence that names it and never its value.
"""

import os
import secrets
import tempfile
from datetime import time
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from portal.branding.color import DEFAULT_ACCENT
from portal.branding.theme import Theme
from portal.errors import SettingsError
from portal.settings.types import (
    AccentColours,
    AccountSid,
    DatabaseUrl,
    Folder,
    HttpUrl,
    LogoFile,
    MailSender,
    OptionalQuietHours,
    Origin,
    PhoneNumber,
    QuietHours,
    RedisUrl,
    Secrets,
    ServiceSid,
    SmtpUrl,
)

__all__ = ["QuietHours", "Settings", "SettingsError"]

DEFAULT_PUBLIC_URL = "http://127.0.0.1:8000"
MIN_SECRET_KEY_LENGTH = 8
MAX_UPLOAD_BYTES_LIMIT = 25_000_000
"""Bytes: each is looked at in memory."""
ERROR_TEXTS = {
    "bool_parsing": "must be true or false.",
    "literal_error": "must be one of the words that docs/settings.md names for it.",
    "float_parsing": "must be a number.",
    "finite_number": "must be an ordinary number.",
    "greater_than": "must be more than 0.",
    "less_than_equal": "is too large.",
    "int_parsing": "must be a whole number.",
    "int_from_float": "must be a whole number.",
    "string_too_short": "must not be empty.",
}


def _default_database(data: dict[str, Any]) -> str:
    return f"sqlite+aiosqlite:///{data['data_dir'] / 'kept.db'}"


def _default_files_dir(data: dict[str, Any]) -> Path:
    folder: Path = data["data_dir"]
    return folder / "files"


def _default_mail_quiet_hours(data: dict[str, Any]) -> QuietHours | None:
    quiet: QuietHours | None = data["quiet_hours"]
    return quiet


class Settings(BaseSettings):
    """What this process was told, checked as a whole; see docs/settings.md.

    Each field's alias is its name in the environment. Get one from `Settings.load()`.
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

    data_dir: Folder = Field(
        Path("data"),
        validation_alias="KEPT_DATA_DIR",
        description="The folder for what one machine keeps: the SQLite database, the secret key "
        "and the embedded queue's socket.",
    )
    database_url: DatabaseUrl = Field(
        default_factory=_default_database,
        validation_alias="DATABASE_URL",
        repr=False,
        description="The database: PostgreSQL, or SQLite in a file (for one machine).",
    )
    files_dir: Folder = Field(
        default_factory=_default_files_dir,
        validation_alias="KEPT_FILES_DIR",
        description="The folder for photos and papers that customers send; with many machines, one "
        "that all of them share.",
    )
    redis_url: RedisUrl | None = Field(
        None,
        validation_alias="REDIS_URL",
        repr=False,
        description="The Redis or Valkey that wakes workers and live pages; nothing that matters "
        "is kept there.",
    )
    max_upload_bytes: int = Field(
        10_000_000,
        gt=0,
        le=MAX_UPLOAD_BYTES_LIMIT,
        validation_alias="KEPT_LARGEST_FILE",
        description="The most bytes of one photo or paper that a customer sends; at most 25000000.",
    )
    public_url: Origin = Field(
        DEFAULT_PUBLIC_URL,
        validation_alias="KEPT_PUBLIC_URL",
        description="The origin at which customers and webhooks reach this portal; every link "
        "and every signature uses it.",
    )
    configured_secret_keys: Secrets = Field(
        (),
        validation_alias="KEPT_SECRET_KEY",
        description="Signs cookies and links; several are parted by commas, of which the first "
        "signs and the older are still accepted.",
    )
    brand: str = Field(
        "Kept",
        min_length=1,
        validation_alias="KEPT_BRAND",
        description="The name by which customers know you, in every text, mail and page.",
    )
    accent: AccentColours = Field(
        DEFAULT_ACCENT,
        validation_alias="KEPT_ACCENT",
        description="The colour of your pages, such as `#0b5f5a`; after a comma another for the "
        "dark, which is otherwise made of it. It must be read with ease as words and under them.",
    )
    logo: LogoFile = Field(
        None,
        validation_alias="KEPT_LOGO",
        description="The file of your logo, an SVG or a PNG of at most 40 kB, which stands in "
        "place of your name at the top of your pages.",
    )
    support_contact: str | None = Field(
        None,
        validation_alias="KEPT_SUPPORT_CONTACT",
        description="A phone number or address for customers, shown in answers to HELP and where "
        "something went wrong.",
    )
    verify_for: Literal["documents", "conversation", "nothing"] = Field(
        "documents",
        validation_alias="KEPT_CODE_FOR",
        description="What a browser that has only the link is asked a code for, sent to the phone "
        "on file: `documents` (photos and papers, addresses), `conversation` (these, and all that "
        "was said), or `nothing`.",
    )
    quiet_hours: OptionalQuietHours = Field(
        QuietHours(time(21), time(8)),
        validation_alias="KEPT_QUIET_HOURS",
        description="When nothing that we start is sent, in each customer's own zone; `off` "
        "sends at any hour.",
    )
    mail_quiet_hours: OptionalQuietHours = Field(
        default_factory=_default_mail_quiet_hours,
        validation_alias="KEPT_MAIL_QUIET_HOURS",
        description="The same for e-mail, which wakes nobody: other hours, or `off`.",
    )

    twilio_account_sid: AccountSid | None = Field(
        None,
        validation_alias="TWILIO_ACCOUNT_SID",
        description="The Twilio account that sends texts.",
    )
    twilio_auth_tokens: Secrets = Field(
        (),
        validation_alias="TWILIO_AUTH_TOKEN",
        description="Its token; several are parted by commas, of which the first is used and "
        "webhooks signed with the others are still accepted.",
    )
    twilio_messaging_service_sid: ServiceSid | None = Field(
        None,
        validation_alias="TWILIO_MESSAGING_SERVICE_SID",
        description="The messaging service that texts are sent from; set this or the number.",
    )
    twilio_from_number: PhoneNumber | None = Field(
        None,
        validation_alias="TWILIO_FROM_NUMBER",
        description="The number, in E.164, that texts are sent from; set this or the service.",
    )
    twilio_api_url: HttpUrl | None = Field(
        None,
        validation_alias="TWILIO_API_URL",
        description="Another server that speaks Twilio's Messages API; unset, Twilio itself.",
    )
    twilio_answers_keywords: bool = Field(
        default=True,
        validation_alias="KEPT_TWILIO_ANSWERS_KEYWORDS",
        description="Whether Twilio itself answers STOP and HELP, so that we must not.",
    )
    provider_rate: float | None = Field(
        None,
        gt=0,
        allow_inf_nan=False,
        validation_alias="KEPT_PROVIDER_RATE",
        description="The most texts to send in a second, by all workers together.",
    )
    max_texts_per_number_per_day: int = Field(
        200,
        gt=0,
        validation_alias="KEPT_TEXTS_A_NUMBER",
        description="The most texts to one number in 24 hours; further ones wait, and a person "
        "is told.",
    )
    max_texts_per_request: int = Field(
        300,
        gt=0,
        validation_alias="KEPT_TEXTS_A_REQUEST",
        description="The most texts about one request; further ones are put before a person, "
        "who is told at four fifths of it.",
    )
    max_segments_per_month: int = Field(
        1_000_000,
        gt=0,
        validation_alias="KEPT_PARTS_A_MONTH",
        description="The most text parts (segments, which carriers bill) in a calendar month; "
        "further texts wait, and staff are told at four fifths of it.",
    )

    smtp_url: SmtpUrl | None = Field(
        None,
        validation_alias="SMTP_URL",
        repr=False,
        description="The mail server that e-mail is handed to.",
    )
    mail_from: MailSender | None = Field(
        None,
        validation_alias="KEPT_MAIL_FROM",
        description="The sender of e-mail, an address with or without a name.",
    )
    mail_hook_token: SecretStr | None = Field(
        None,
        validation_alias="KEPT_MAIL_HOOK_TOKEN",
        description="The bearer token with which a mail server hands us replies; unset, none "
        "are taken.",
    )

    reconcile_seconds: float = Field(
        120,
        gt=0,
        allow_inf_nan=False,
        validation_alias="KEPT_RECONCILE_AFTER",
        description="Seconds between two looks for a text whose outcome is unknown.",
    )
    receipt_poll_seconds: float = Field(
        900,
        gt=0,
        allow_inf_nan=False,
        validation_alias="KEPT_POLL_AFTER",
        description="Seconds without a receipt after which the carrier is asked what became of "
        "a text; asked again at twice the age each time, for three days.",
    )
    sweep_seconds: float = Field(
        2,
        gt=0,
        allow_inf_nan=False,
        validation_alias="KEPT_SWEEP_EVERY",
        description="Seconds between two sweeps for messages that are due.",
    )
    metrics: bool = Field(
        default=False,
        validation_alias="KEPT_METRICS",
        description="Whether `/metrics` is served on the web port, where customers could see it.",
    )

    @classmethod
    def load(cls, **overrides: Any) -> Self:
        """Read the environment and `.env`; `overrides`, by attribute, win over both.

        Raises SettingsError, naming the setting as the environment does, never its value.
        """
        told = {cls.environment_name(name): value for name, value in overrides.items()}
        try:
            return cls(**told)
        except ValidationError as mistakes:
            error = mistakes.errors(include_url=False)[0]
        where, words = error["loc"], ERROR_TEXTS.get(error["type"], "")
        said = words or str(error["msg"]).removeprefix("Value error, ")
        raise SettingsError(f"{where[0]} {said}" if where else said)

    @classmethod
    def environment_name(cls, attribute: str) -> str:
        """The variable that sets this attribute: `brand` is set by KEPT_BRAND."""
        return str(cls.model_fields[attribute].validation_alias)

    @cached_property
    def secret_keys(self) -> tuple[SecretStr, ...]:
        """Signing keys, newest first: the first signs, all are accepted.

        On one machine with none given, one is made and kept in the data folder.
        """
        return self.configured_secret_keys or (_kept_key(self.data_dir / "secret_key"),)

    @property
    def signing_keys(self) -> list[str]:
        """The secret keys for itsdangerous, which signs with the last and accepts all."""
        return [key.get_secret_value() for key in reversed(self.secret_keys)]

    @property
    def public_host(self) -> str:
        """The name of our origin alone, to which a phone may bind a code."""
        return urlsplit(self.public_url).hostname or ""

    @cached_property
    def theme(self) -> Theme:
        """What the customers' pages wear."""
        return Theme(self.accent, self.logo)

    @property
    def is_single_machine(self) -> bool:
        """Whether the data lives in a file here, so that no other machine can share it."""
        return self.database_url.startswith("sqlite")

    @property
    def needs_embedded_redis(self) -> bool:
        """Whether nobody named a Redis, so that `kept serve` brings its own."""
        return self.redis_url is None

    @property
    def sends_texts(self) -> bool:
        """Whether a Twilio account is given."""
        return self.twilio_account_sid is not None

    @property
    def sends_mail(self) -> bool:
        """Whether a mail server is given."""
        return self.smtp_url is not None

    @model_validator(mode="after")
    def _data_has_a_place(self) -> Self:
        if self.is_single_machine and not _may_be_a_folder(self.data_dir):
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
        if any(
            len(key.get_secret_value()) < MIN_SECRET_KEY_LENGTH
            for key in self.configured_secret_keys
        ):
            msg = "KEPT_SECRET_KEY is too short: give 32 letters or more that nobody can guess."
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _twilio_is_whole(self) -> Self:
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
    def _mail_is_whole(self) -> Self:
        if self.smtp_url and not self.mail_from:
            msg = "KEPT_MAIL_FROM must be set too: SMTP_URL is."
            raise ValueError(msg)
        if self.mail_from and not self.smtp_url:
            msg = "SMTP_URL must be set too: KEPT_MAIL_FROM is."
            raise ValueError(msg)
        return self


def _may_be_a_folder(path: Path) -> bool:
    """Whether it is a folder of ours, or could be made in the one that is there already."""
    there = next(one for one in (path, *path.parents) if one.exists())
    return there.is_dir() and os.access(there, os.W_OK | os.X_OK)


def _kept_key(path: Path) -> SecretStr:
    """The key in this file; made first, readable by us alone, where there is none.

    Two processes that start at once get the same: a link to a whole file is made, or is there.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=path.parent, prefix=".secret_key.")  # mode 0600
        try:
            with os.fdopen(handle, "w") as file:
                file.write(secrets.token_urlsafe(32))
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            Path(draft).unlink()
    return SecretStr(path.read_text().strip())
