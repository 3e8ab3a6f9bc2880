"""The one place where a code's digits are put into words: on their way out.

What the outbox keeps, and what staff and other systems read of it, has stars in their place.
"""

from portal.models import MessageKind, derive_code
from portal.models.people.verification_code import CODE_LENGTH
from portal.settings import Settings

MASKED_CODE = "*" * CODE_LENGTH
CODE_CAUSE_PREFIX = "code:"


def reveal_code(settings: Settings, kind: MessageKind, cause: str, body: str) -> str:
    """The words as they leave us, and as the provider has them."""
    if kind != MessageKind.CODE:
        return body
    key = settings.secret_keys[0].get_secret_value()
    return body.replace(MASKED_CODE, derive_code(key, cause.removeprefix(CODE_CAUSE_PREFIX)))
