"""The parts, headers and addresses of an email."""

# ruff: noqa: RUF001 - A domain in Arabic letters is tested.

import email
import email.policy
from dataclasses import replace
from email.header import decode_header, make_header
from email.utils import parseaddr

import pytest

from portal.messaging.email.composition import EmailContent, EmailEnvelope, Thread, build_email
from portal.messaging.send_errors import Refused
from tests.messaging.email.letters import ENVELOPE, LETTER, letter_of, parts

pytestmark = pytest.mark.either_database


@pytest.mark.parametrize(
    ("sender", "shown"),
    [
        ("hello@acme.example", "Acme Bank <hello@acme.example>"),
        ("Acme Care <hello@acme.example>", "Acme Care <hello@acme.example>"),
        ("<hello@acme.example>", "Acme Bank <hello@acme.example>"),
        ('"Smith, Zoë" <hello@acme.example>', '"Smith, Zoë" <hello@acme.example>'),
    ],
)
def test_sender_name_is_configured_or_the_brand(sender: str, shown: str):
    """KEPT_MAIL_FROM may have a name before its address."""
    assert str(letter_of(sender=sender)["From"]) == shown


def test_text_and_html_parts_have_the_same_content():
    text, html = parts(letter_of())
    for words in (
        LETTER.headline,
        *LETTER.paragraphs,
        LETTER.button_label,
        LETTER.reference,
        LETTER.footer,
        LETTER.unsubscribe_label,
        "Acme Bank",
    ):
        assert words in text
        assert words in html
    assert LETTER.link in text
    assert 'href="https://kept.example/r/Ab1?x=1&amp;y=2"' in html


def test_headers_follow_the_rfcs():
    message = letter_of(thread=Thread(["<m1@kept.example>"]), reply_to="r+abc@acme.example")
    assert message["From"] == "Acme Bank <hello@acme.example>"
    assert message["Message-ID"] == "<m7.k3@kept.example>"
    assert message["In-Reply-To"] == "<m1@kept.example>"
    assert message["References"] == "<m1@kept.example>"
    assert message["Reply-To"].addresses[0].addr_spec == "r+abc@acme.example"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["X-Auto-Response-Suppress"] == "OOF, AutoReply"
    assert "Precedence" not in message
    assert message["List-Unsubscribe"] == f"<{ENVELOPE['unsubscribe_url']}>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["Date"] == "Tue, 24 Nov 2026 14:05:00 +0000"


def test_auto_reply_has_auto_submitted_header():
    """RFC 3834: no machine should answer it in turn."""
    message = letter_of(thread=Thread(["<m1@k>", "<theirs@x>"], answers=True))
    assert message["Auto-Submitted"] == "auto-replied"
    assert message["In-Reply-To"] == "<theirs@x>"
    assert message["References"] == "<m1@k> <theirs@x>"


def test_staff_text_keeps_its_lines_and_author():
    letter = replace(LETTER, paragraphs=("One\ntwo <b>", "three"), author_name="Tess")
    text, html = parts(letter_of(letter))
    assert "One\ntwo <b>\n\nthree\n\nTess" in text
    assert "One<br>\ntwo &lt;b&gt;</td>" in html
    assert ">Tess<" in html


def test_answers_are_links_in_both_parts():
    letter = replace(
        LETTER, answer_links=(("Yes", "https://k/r/x#yes"), ("No", "https://k/r/x#no"))
    )
    text, html = parts(letter_of(letter))
    assert "Yes: https://k/r/x#yes\nNo: https://k/r/x#no\n" in text
    assert 'href="https://k/r/x#yes"' in html
    assert 'href="https://k/r/x#no"' in html


def test_message_id_is_stable():
    assert letter_of()["Message-ID"] == letter_of()["Message-ID"]


def test_long_links_and_ids_are_not_encoded_or_folded():
    """A folded or encoded List-Unsubscribe is one that no mail program can follow."""
    url, ids = "https://kept.example/" + "u" * 300, tuple(f"<{'i' * 90}{n}@k>" for n in range(9))
    raw = build_email(
        LETTER, EmailEnvelope(**(ENVELOPE | {"unsubscribe_url": url, "thread": Thread(ids)}))
    ).as_bytes()
    assert f"\r\nList-Unsubscribe: <{url}>\r\n".encode() in raw
    assert f"\r\nReferences: {' '.join(ids)}\r\n".encode() in raw


@pytest.mark.parametrize(
    "name",
    [
        "Zoë Łukasz",
        "山田 太郎",
        'O"Brien, <Pat>',
        "🎈 " * 30 + "end",
        "Ñandú " * 20 + "end",
        "Mr. X (the @ one)",
        "می\u200cخواهم",
    ],
)
def test_display_name_is_preserved(name):
    letter = replace(LETTER, subject=f"For {name}")
    raw = build_email(
        letter, EmailEnvelope(**(ENVELOPE | {"to_name": name, "brand": name}))
    ).as_bytes()
    # The older reader: the newer one adds spaces between the encoded words of a long name.
    message = email.message_from_bytes(raw)
    assert max(map(len, raw.partition(b"\r\n\r\n")[0].split(b"\r\n"))) <= 78
    for header in ("To", "From"):
        written, address = parseaddr(message[header].replace("\r\n", ""))
        assert str(make_header(decode_header(written))) == name
        assert address.endswith("example" if header == "From" else "@example.org")
    assert str(make_header(decode_header(message["Subject"]))) == f"For {name}"


def test_header_injection_is_impossible():
    evil = "Martin\r\nBcc: thief@example.org\n\nHello\x00\u2028\u202e\ud800"
    message = letter_of(
        replace(LETTER, subject=evil, headline=evil, paragraphs=(evil,)), to_name=evil, brand=evil
    )
    assert "Bcc" not in message
    assert message["To"].addresses[0].addr_spec == "martin@example.org"
    assert message["Subject"] == "Martin Bcc: thief@example.org Hello"


def test_html_is_escaped():
    _, html = parts(letter_of(replace(LETTER, headline="<script>alert(1)</script> & co")))
    assert "<script>" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; co" in html


def test_missing_values_leave_no_gap():
    bare = EmailContent(subject="Hello", headline="Hello")
    text, html = parts(letter_of(bare, unsubscribe_url=""))
    assert "http" not in text
    assert "<a " not in html
    assert text.split() == ["Hello", "--", "Acme", "Bank"]


def test_html_has_lang_and_dir():
    _, html = parts(letter_of(replace(LETTER, language="ar", right_to_left=True)))
    assert '<html lang="ar" dir="rtl">' in html


def test_non_ascii_domain_is_idna_encoded():
    assert letter_of(to="m@bücher.example")["To"].addresses[0].domain == "xn--bcher-kva.example"


@pytest.mark.parametrize(
    "address",
    ["", "martin", "@x.y", "a@", "a@b\r\nBcc: c@d", "a b@c.d", "jürgen@c.d", "a@b..c", "<a@b.c>"],
)
def test_invalid_address_is_permanent(address):
    with pytest.raises(Refused) as refusal:
        letter_of(to=address)
    assert (refusal.value.action, refusal.value.permanent) == ("bad_address", True)


@pytest.mark.parametrize("wrong", [{"message_id": "<a b>"}, {"thread": Thread(["<a>\r\nX: y"])}])
def test_invalid_message_id_raises_programming_error(wrong):
    with pytest.raises(ValueError, match="not fit for a mail header"):
        letter_of(**wrong)
