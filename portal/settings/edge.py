"""The settings of the HTTP edge: whose addresses count, and the limits of calls."""

from pydantic import Field
from pydantic_settings import BaseSettings

from portal.settings.types import Networks


class EdgeSettings(BaseSettings):
    """Trusted proxies, and the limits of connections, calls and uploads."""

    trusted_proxies: Networks = Field(
        (),
        validation_alias="KEPT_TRUSTED_PROXIES",
        description="The addresses and networks of your reverse proxies, separated by commas, such "
        "as `127.0.0.1, 10.0.0.0/8`. Only from them is `X-Forwarded-For` read; without any it is "
        "ignored.",
    )
    max_connections: int = Field(
        10_000,
        gt=0,
        validation_alias="KEPT_MAX_CONNECTIONS",
        description="The most connections of one web process, live pages included; further ones "
        "get a 503. The operating system's limit of open files may allow fewer.",
    )
    request_timeout_seconds: float = Field(
        20,
        gt=0,
        allow_inf_nan=False,
        validation_alias="KEPT_REQUEST_TIMEOUT_SECONDS",
        description="Seconds in which the head of a call must arrive, and then its body; a body "
        "gets one second more for each 16 kB that have arrived.",
    )
    max_message_bytes: int = Field(
        25_000_000,
        gt=0,
        validation_alias="KEPT_MAX_MESSAGE_BYTES",
        description="The most bytes of all attachments of one message from the status page.",
    )
    max_link_bytes_per_day: int = Field(
        100_000_000,
        gt=0,
        validation_alias="KEPT_MAX_LINK_BYTES_PER_DAY",
        description="The most bytes of files about one request in 24 hours, by its link and by e-mail.",
    )
