"""How one simulated carrier behaves, and the promise that it is never taken for a real one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import urlsplit

SIMULATED_PREFIX = "AC" + "0" * 16
SIMULATED_SID = "AC" + "0" * 32
SIMULATED_TOKEN = "simulated-auth-token"  # noqa: S105 - opens nothing but this simulator


class UnsafeCredentials(ValueError):
    """The simulator was asked to run with, or beside, something real."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CarrierConfig:
    """What the carrier answers to and how fast. Times are seconds, numbers are E.164.

    Raises UnsafeCredentials for an account sid that could be a real one.
    """

    account_sid: str = SIMULATED_SID
    auth_token: str = SIMULATED_TOKEN
    from_number: str = "+14155550100"
    messaging_service_sid: str | None = None
    whatsapp_number: str | None = None
    """The WhatsApp sender of the messaging service, if it has one."""
    whatsapp_window: float = 86_400
    """The customer service window: without a template, nothing is delivered after it (63016)."""
    templates: Mapping[str, str] = field(default_factory=dict)
    """Approved templates by Content SID, with placeholders such as {{1}}."""
    rcs_agent: str | None = None
    """The RCS sender of the messaging service, if it has one."""
    rcs_numbers: frozenset[str] = frozenset()
    """The phones that take RCS; to others the messaging service sends SMS."""
    reads_messages: bool = False
    """Customers read what comes by WhatsApp and RCS: the status becomes "read"."""
    inbound_url: str | None = None
    """Where a text from a customer is announced; None until somebody sets it."""
    webhook_origin: str | None = None
    """Post every webhook here instead of to its own host, signed for its own host: for a product
    whose public URL is not the address that it listens on."""
    webhook_timeout: float = 15.0
    """Twilio gives up on a webhook after 15 s."""
    sent_after: float = 0.0
    delivered_after: float = 0.0
    """Counted from the acceptance, as is `sent_after`."""
    answer_delay: float = 0.0
    blocks_stopped: bool = True
    """STOP from a customer makes later texts to them fail with 21610, as at Twilio."""
    confirms_stop: bool = True
    """The carrier itself answers STOP, START and HELP, as Twilio does by default."""
    mail_hook_url: str | None = None
    mail_hook_token: str = ""
    """Where a reply written in the mailbox is posted, as raw RFC 5322 with this bearer token."""
    keep_texts: int = 100_000
    keep_mails: int = 2_000

    def __post_init__(self) -> None:
        if not (self.account_sid.startswith(SIMULATED_PREFIX) and len(self.account_sid) == 34):
            raise UnsafeCredentials(
                "The simulator only answers to an account sid that begins with "
                f"{SIMULATED_PREFIX}, so that it can never be mistaken for a real account."
            )


def refuse_beside_real_credentials(environ: Mapping[str, str], *, explicit: bool) -> None:
    """Raise UnsafeCredentials when a Twilio token is set and nobody said which credentials to simulate.

    `explicit` says that the caller named the simulator's own credentials.
    """
    if environ.get("TWILIO_AUTH_TOKEN") and not explicit:
        raise UnsafeCredentials(
            "TWILIO_AUTH_TOKEN is set, so the simulator does not start: it would pretend to send "
            "what you may expect to be sent. Unset it, or name the simulated credentials."
        )


def require_loopback(host: str) -> None:
    """Raise UnsafeCredentials unless `host` is this machine talking to itself."""
    if not is_loopback(host):
        raise UnsafeCredentials(f"The simulator listens on loopback only, and {host} is not.")


def is_loopback(host: str | None) -> bool:
    """Whether `host` is an address of this machine that no other can reach."""
    if host == "localhost":
        return True
    try:
        return host is not None and ip_address(host).is_loopback
    except ValueError:
        return False


def is_web_url(url: str) -> bool:
    """Whether a webhook could be posted there at all: absolute, http or https."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname)
