"""The settings in groups, each with its name in the environment and a description.

docs/settings.md repeats every description; a test compares them.
"""

from datetime import time
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings

from portal.branding.color import DEFAULT_ACCENT
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

DEFAULT_PUBLIC_URL = "http://127.0.0.1:8000"
MAX_SIGN_IN_HOURS = 720
MAX_UPLOAD_BYTES_LIMIT = 25_000_000
"""Bytes; an upload is checked in memory."""


def _default_database(data: dict[str, Any]) -> str:
    return f"sqlite+aiosqlite:///{data['data_dir'] / 'kept.db'}"


def _default_files_dir(data: dict[str, Any]) -> Path:
    folder: Path = data["data_dir"]
    return folder / "files"


def _default_mail_quiet_hours(data: dict[str, Any]) -> QuietHours | None:
    quiet: QuietHours | None = data["quiet_hours"]
    return quiet


class StorageSettings(BaseSettings):
    """Database, Redis and files."""

    data_dir: Folder = Field(
        Path("data"),
        validation_alias="KEPT_DATA_DIR",
        description="The data folder of one machine: the SQLite database, the secret key and the "
        "socket of the embedded Redis.",
    )
    database_url: DatabaseUrl = Field(
        default_factory=_default_database,
        validation_alias="DATABASE_URL",
        repr=False,
        description="The database: PostgreSQL, or a SQLite file (for one machine).",
    )
    database_pool_size: int = Field(
        20,
        ge=5,
        le=200,
        validation_alias="KEPT_DATABASE_POOL_SIZE",
        description="The most connections that one process opens to the database, 5 to 200; half "
        "of them stay open.",
    )
    files_dir: Folder = Field(
        default_factory=_default_files_dir,
        validation_alias="KEPT_FILES_DIR",
        description="The folder for attachments; with many machines, one that all of them share.",
    )
    redis_url: RedisUrl | None = Field(
        None,
        validation_alias="REDIS_URL",
        repr=False,
        description="The Redis or Valkey that wakes workers and live pages; it stores nothing "
        "that matters.",
    )
    max_upload_bytes: int = Field(
        10_000_000,
        gt=0,
        le=MAX_UPLOAD_BYTES_LIMIT,
        validation_alias="KEPT_MAX_UPLOAD_BYTES",
        description="The largest attachment that a customer may send, in bytes; at most 25000000.",
    )


class IdentitySettings(BaseSettings):
    """The public address, the brand, the secret key, and how customers are treated."""

    public_url: Origin = Field(
        DEFAULT_PUBLIC_URL,
        validation_alias="KEPT_PUBLIC_URL",
        description="The origin at which customers and webhooks reach Kept; every link and every "
        "signature uses it.",
    )
    configured_secret_keys: Secrets = Field(
        (),
        validation_alias="KEPT_SECRET_KEY",
        description="Signs cookies and links. Several are separated by commas: the first signs, "
        "the others are still accepted. Each has 32 random characters or more.",
    )
    sign_in_idle_hours: float = Field(
        4,
        gt=0,
        le=MAX_SIGN_IN_HOURS,
        allow_inf_nan=False,
        validation_alias="KEPT_SIGN_IN_IDLE_HOURS",
        description="Hours without use after which a sign-in at the desk ends; at most 720.",
    )
    sign_in_max_hours: float = Field(
        12,
        gt=0,
        le=MAX_SIGN_IN_HOURS,
        allow_inf_nan=False,
        validation_alias="KEPT_SIGN_IN_MAX_HOURS",
        description="Hours after which a sign-in at the desk ends, in use or not; at most 720.",
    )
    brand: str = Field(
        "Kept",
        min_length=1,
        validation_alias="KEPT_BRAND",
        description="Your name as customers know it, in every text, e-mail and page.",
    )
    accent: AccentColours = Field(
        DEFAULT_ACCENT,
        validation_alias="KEPT_ACCENT",
        description="The accent colour of customer pages, such as `#0b5f5a`; after a comma the one "
        "for dark mode, which is derived from the first if left out. Its contrast must be at least "
        "4.5.",
    )
    logo: LogoFile = Field(
        None,
        validation_alias="KEPT_LOGO",
        description="The file of your logo, an SVG or a PNG of at most 40 kB, shown in place of "
        "your name at the top of customer pages.",
    )
    support_contact: str | None = Field(
        None,
        validation_alias="KEPT_SUPPORT_CONTACT",
        description="A phone number or address for customers, shown in the answer to HELP and on "
        "error pages.",
    )
    verify_for: Literal["documents", "conversation", "nothing"] = Field(
        "documents",
        validation_alias="KEPT_VERIFY_FOR",
        description="What a browser that has only the link needs a verification code for: "
        "`documents` (attachments and addresses), `conversation` (these and all messages) or "
        "`nothing`.",
    )
    quiet_hours: OptionalQuietHours = Field(
        QuietHours(time(21), time(8)),
        validation_alias="KEPT_QUIET_HOURS",
        description="The hours, in the customer's time zone, in which Kept starts no text; `off` "
        "sends at any hour.",
    )
    mail_quiet_hours: OptionalQuietHours = Field(
        default_factory=_default_mail_quiet_hours,
        validation_alias="KEPT_MAIL_QUIET_HOURS",
        description="The same for e-mail: other hours, or `off`.",
    )


class MessagingSettings(BaseSettings):
    """Twilio, the sending limits and the mail server."""

    twilio_account_sid: AccountSid | None = Field(
        None,
        validation_alias="TWILIO_ACCOUNT_SID",
        description="The Twilio account that sends texts.",
    )
    twilio_auth_tokens: Secrets = Field(
        (),
        validation_alias="TWILIO_AUTH_TOKEN",
        description="The account's token. Several are separated by commas: the first is used, and "
        "webhooks signed with the others are still accepted.",
    )
    twilio_messaging_service_sid: ServiceSid | None = Field(
        None,
        validation_alias="TWILIO_MESSAGING_SERVICE_SID",
        description="The messaging service that sends texts; set this or the number.",
    )
    twilio_from_number: PhoneNumber | None = Field(
        None,
        validation_alias="TWILIO_FROM_NUMBER",
        description="The number, in E.164, that sends texts; set this or the service.",
    )
    twilio_api_url: HttpUrl | None = Field(
        None,
        validation_alias="TWILIO_API_URL",
        description="Another server that implements Twilio's Messages API.",
    )
    twilio_answers_keywords: bool = Field(
        default=True,
        validation_alias="KEPT_TWILIO_ANSWERS_KEYWORDS",
        description="Whether Twilio itself answers STOP and HELP, so that Kept does not.",
    )
    provider_rate: float | None = Field(
        None,
        gt=0,
        allow_inf_nan=False,
        validation_alias="KEPT_PROVIDER_RATE",
        description="The most texts that all workers together send in a second.",
    )
    max_texts_per_number_per_day: int = Field(
        200,
        gt=0,
        validation_alias="KEPT_MAX_TEXTS_PER_NUMBER_PER_DAY",
        description="The most texts to one number in 24 hours; further ones wait, and staff are "
        "notified.",
    )
    max_texts_per_request: int = Field(
        300,
        gt=0,
        validation_alias="KEPT_MAX_TEXTS_PER_REQUEST",
        description="The most texts about one request; further ones wait for a person, who is "
        "notified at 80 percent.",
    )
    max_segments_per_month: int = Field(
        1_000_000,
        gt=0,
        validation_alias="KEPT_MAX_SEGMENTS_PER_MONTH",
        description="The most SMS segments (the unit that carriers bill) in a calendar month; "
        "further texts wait, and staff are notified at 80 percent.",
    )

    smtp_url: SmtpUrl | None = Field(
        None,
        validation_alias="SMTP_URL",
        repr=False,
        description="The mail server that sends e-mail.",
    )
    mail_from: MailSender | None = Field(
        None,
        validation_alias="KEPT_MAIL_FROM",
        description="The sender of e-mail: an address, with or without a name.",
    )
    mail_hook_token: SecretStr | None = Field(
        None,
        validation_alias="KEPT_MAIL_HOOK_TOKEN",
        description="The bearer token with which a mail server posts incoming e-mail; without it "
        "none is accepted.",
    )


class ProcessSettings(BaseSettings):
    """The intervals of the workers, and metrics."""

    reconcile_seconds: float = Field(
        120,
        gt=0,
        allow_inf_nan=False,
        validation_alias="KEPT_RECONCILE_SECONDS",
        description="Seconds between two look-ups of a text whose outcome is unknown.",
    )
    receipt_poll_seconds: float = Field(
        900,
        gt=0,
        allow_inf_nan=False,
        validation_alias="KEPT_RECEIPT_POLL_SECONDS",
        description="Seconds without a delivery receipt after which the worker asks the carrier "
        "for the status of a text; it asks again each time the text is twice as old, for three "
        "days.",
    )
    sweep_seconds: float = Field(
        2,
        gt=0,
        allow_inf_nan=False,
        validation_alias="KEPT_SWEEP_SECONDS",
        description="Seconds between two sweeps for due messages.",
    )
    log_format: Literal["text", "json"] = Field(
        "text",
        validation_alias="KEPT_LOG_FORMAT",
        description="How web and worker log to stderr: `text`, or `json` (one object a line, with "
        "the process).",
    )
    metrics: bool = Field(
        default=False,
        validation_alias="KEPT_METRICS",
        description="Whether `/metrics` is served on the web port, where customers can read it.",
    )
