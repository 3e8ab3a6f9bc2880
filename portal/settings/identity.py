"""Brand, addresses, keys, and how staff sign in.

docs/settings.md repeats every description; a test compares them.
"""

from datetime import time
from typing import Any, Literal

from pydantic import Field
from pydantic_settings import BaseSettings

from portal.branding.color import DEFAULT_ACCENT
from portal.settings.types import (
    AccentColours,
    LogoFile,
    OptionalQuietHours,
    Origin,
    QuietHours,
    Secrets,
)

DEFAULT_PUBLIC_URL = "http://127.0.0.1:8000"
MAX_SIGN_IN_HOURS = 720


def _default_mail_quiet_hours(data: dict[str, Any]) -> QuietHours | None:
    quiet: QuietHours | None = data["quiet_hours"]
    return quiet


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
        "the others are still accepted. Each has at least 16 random characters, better 32.",
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
        description="The accent colour of customer pages and mails, such as `#0b5f5a`; after a comma the one "
        "for dark mode, which is derived from the first if left out. Its contrast must be at least "
        "4.5.",
    )
    logo: LogoFile = Field(
        None,
        validation_alias="KEPT_LOGO",
        description="The file of your logo, an SVG or a PNG of at most 40 kB, shown in place of "
        "your name at the top of customer pages; in mails a PNG only, which all mail programs show.",
    )
    support_contact: str | None = Field(
        None,
        validation_alias="KEPT_SUPPORT_CONTACT",
        description="A phone number or address for customers, shown at the foot of customer pages.",
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
