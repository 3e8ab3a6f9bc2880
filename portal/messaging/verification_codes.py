"""The one place where a code's digits are put into words: on their way out.

What the outbox keeps, and what staff and other systems read of it, has stars in their place.
"""

from portal.models import MessageKind, digits
from portal.models.people.verification_code import DIGITS
from portal.settings import Settings

HIDDEN = "*" * DIGITS
CAUSE = "code:"


def as_sent(settings: Settings, kind: MessageKind, cause: str, body: str) -> str:
    """The words as they leave us, and as the provider has them."""
    if kind != MessageKind.CODE:
        return body
    key = settings.secret_keys[0].get_secret_value()
    return body.replace(HIDDEN, digits(key, cause.removeprefix(CAUSE)))
