"""Only webhooks signed by Twilio are accepted."""

import io

import pytest
from starlette.datastructures import FormData, UploadFile
from twilio.request_validator import HMAC_SHA256, RequestValidator

from portal.messaging.sms.twilio_signature import signed_url, verify_signature

URL = "https://kept.example/hooks/twilio/status?m=12"
FORM = FormData(
    [("MessageSid", "SM1"), ("Body", ""), ("Media", "b"), ("Media", "a"), ("Media", "b")]
)


def signature(url=URL, form=FORM, token="secret", algorithm=None):  # noqa: S107
    return RequestValidator(token).compute_signature(url, form, algorithm)


def test_signed_webhook_with_repeated_and_blank_values_is_valid():
    assert verify_signature(("secret",), URL, FORM, signature())


def test_older_token_is_valid_during_rotation():
    assert verify_signature(("new", "secret"), URL, FORM, signature())


def test_body_hash_is_checked_when_named():
    settings = "key=webhooks_sharedkey_1,algorithm=HMAC_SHA256"
    signed = signature(algorithm=HMAC_SHA256)
    assert verify_signature(("secret",), URL, FORM, signed, settings)
    assert not verify_signature(("secret",), URL, FORM, signed)
    assert not verify_signature(("secret",), URL, FORM, signed, "algorithm=ROT13")


@pytest.mark.parametrize(
    ("url", "form", "header", "tokens"),
    [
        (URL, FORM, None, ("secret",)),
        (URL, FORM, "", ("secret",)),
        (URL, FORM, "nonsense", ("secret",)),
        (URL, FORM, signature(token="other"), ("secret",)),
        (URL, FORM, signature(token=""), ("",)),
        (URL, FORM, signature(), ()),
        ("https://evil.example/hooks/twilio/status?m=12", FORM, signature(), ("secret",)),
        (URL.replace("12", "13"), FORM, signature(), ("secret",)),
        (URL, FormData([("MessageSid", "SM2")]), signature(), ("secret",)),
        (URL, FormData([("Body", UploadFile(io.BytesIO(b"x")))]), "x", ("secret",)),
        ("https://kept.example:notaport/", FORM, "x", ("secret",)),
        (URL + "&bodySHA256=", b"bytes", "x", ("secret",)),
        (URL, '{"json": true}', "x", ("secret",)),
        (URL, 12, "x", ("secret",)),
    ],
)
def test_invalid_signature_is_false_and_never_raises(url, form, header, tokens):
    assert verify_signature(tokens, url, form, header) is False


def test_signed_url_is_the_public_origin_and_the_raw_path():
    assert (
        signed_url("https://kept.example/", b"/hooks/tw%20ilio", b"m=12&x=%C3%A9&empty=")
        == "https://kept.example/hooks/tw%20ilio?m=12&x=%C3%A9&empty="
    )
    assert signed_url("http://127.0.0.1:8000", b"/hooks") == "http://127.0.0.1:8000/hooks"


def test_port_of_the_public_url_is_signed():
    url = signed_url("http://127.0.0.1:8000", b"/hooks/twilio/inbound")
    assert verify_signature(("secret",), url, FORM, signature(url))
