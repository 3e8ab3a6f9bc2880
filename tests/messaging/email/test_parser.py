"""The parser of inbound e-mail accepts any bytes."""

from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from hypothesis import strategies as some

from portal.messaging.email.bounces import failure_rule
from tests.messaging.email.mail_server import parse

LINES = some.lists(
    some.one_of(
        some.sampled_from(
            [
                b"From: =?utf-8?q?=ff?= <a@b>", b"From: ;", b"To: @", b"Message-ID: <", b"",
                b"Content-Type: multipart/report; boundary=b", b"--b", b"--b--",
                b"Content-Type: message/delivery-status", b"Content-Type: text/html; charset=nope",
                b"Content-Transfer-Encoding: base64", b"Status: 5", b"Action: failed", b"<p>&#x;",
                b"Content-Type: message/rfc822", b"Auto-Submitted: \xff", b"Subject: =?x?b?!?=",
            ]
        ),
        some.binary(max_size=30),
    ),
    max_size=25,
)  # fmt: skip


@effort(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(LINES)
def test_parser_never_raises(lines):
    """Whatever somebody sends: no error, since an error would be sent again for days."""
    mail = parse(b"\r\n".join(lines))
    assert mail.message_id
    assert mail.report is None or failure_rule(mail.report)
