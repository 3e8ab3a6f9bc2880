"""Puts a code's digits into its message, only when the message is sent.

The outbox, staff and other systems have stars in their place.
"""

from portal.models import MessageKind, derive_code
from portal.models.people.verification_code import CODE_LENGTH
from portal.settings import Settings

MASKED_CODE = "*" * CODE_LENGTH
CODE_CAUSE_PREFIX = "code:"


def reveal_code(settings: Settings, kind: MessageKind, cause: str, body: str) -> str:
    """The body as the provider receives it."""
    if kind != MessageKind.CODE:
        return body
    key = settings.secret_keys[0].get_secret_value()
    return body.replace(MASKED_CODE, derive_code(key, cause.removeprefix(CODE_CAUSE_PREFIX)))
