"""Texts and e-mail: providers, quiet hours and limits.

docs/settings.md repeats every description; a test compares them.
"""

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings

from portal.settings.types import (
    AccountSid,
    HttpUrl,
    MailSender,
    PhoneNumber,
    Secrets,
    ServiceSid,
    SmtpUrl,
    WhatsAppTemplatesFile,
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
    whatsapp: bool = Field(
        default=False,
        validation_alias="KEPT_WHATSAPP",
        description="Whether a customer who wrote last on WhatsApp is answered there, by the WhatsApp "
        "sender of the messaging service; see [messages](messages.md#whatsapp-and-rcs).",
    )
    whatsapp_window_seconds: int = Field(
        86_400,
        gt=0,
        le=86_400,
        validation_alias="KEPT_WHATSAPP_WINDOW_SECONDS",
        description="WhatsApp's customer service window: how long after the customer's last "
        "WhatsApp message free text may be sent there, in seconds.",
    )
    whatsapp_templates: WhatsAppTemplatesFile = Field(
        None,
        validation_alias="KEPT_WHATSAPP_TEMPLATES",
        description="A TOML file with the approved templates (Content SIDs) by kind of message and "
        "language, for WhatsApp outside the window; what has none goes by SMS. See "
        "[WhatsApp templates](#whatsapp-templates).",
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
