"""Did Twilio write this? Each webhook is signed with the account's token.

Source: Twilio, "Validating Signatures from Twilio": base64 of an HMAC over the URL and the
sorted names and values of the form.
"""

from collections.abc import Iterable
from typing import Any

from twilio.request_validator import RequestValidator, get_signature_algorithm


def signed_url(public_url: str, raw_path: bytes, query: bytes = b"") -> str:
    """The URL that Twilio called, byte for byte, with our configured origin.

    Never from the Host header or a proxy's header: the caller chooses those.
    """
    path = raw_path.partition(b"?")[0].decode("latin-1")
    url = public_url.rstrip("/") + path
    return f"{url}?{query.decode('latin-1')}" if query else url


def verify_signature(
    tokens: Iterable[str],
    url: str,
    form: Any,
    header: str | None,
    settings_header: str | None = None,
) -> bool:
    """Whether ``header`` (X-Twilio-Signature) signs this URL and form with one of our tokens.

    Several tokens allow rotation; an empty one signs nothing. ``form`` is a multi-dict
    (Starlette's FormData) with repeated names. ``settings_header``
    (X-Twilio-Webhooks-Signature-Settings) may name HMAC_SHA256. Never raises: what cannot be
    checked is not signed.
    """
    if not header:
        return False
    try:
        algorithm = get_signature_algorithm(settings_header)
        return any(
            RequestValidator(token).validate(url, form, header, algorithm)
            for token in tokens
            if token
        )
    except Exception:  # noqa: BLE001
        # The validator raises various errors on unexpected input: files, numbers, odd ports.
        return False
