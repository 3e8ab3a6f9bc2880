"""Mail in whatever charset and structure: its words and files are read, and what is not is said."""

from email.message import EmailMessage

import pytest

from portal.demo.fake_providers.mailbox import Mail
from portal.models import (
    Attachment,
    AttachmentState,
    Channel,
    Direction,
    Message,
    ServiceRequest,
)
from portal.operations import advance, run_due_follow_ups, write_to_customer
from portal.queries.attachments import attachments_by_message
from portal.settings import Settings
from tests.messaging.email.mail_server import MARTIN, MailServer, reply
from tests.support.factories import Organisation
from tests.support.sample_images import heic_photo, photo

pytestmark = pytest.mark.either_database


@pytest.fixture
def settings(settings: Settings, tmp_path) -> Settings:
    return settings.model_copy(update={"files_dir": tmp_path / "files"})


@pytest.fixture
async def asked(organisation: Organisation) -> ServiceRequest:
    """Ben asks Martin whether he wants the repair; the question is open."""
    ben = organisation.people.ben.actor
    request = await organisation.open("repair", by=ben)
    await organisation.run(advance, request, by=ben)
    await organisation.run(run_due_follow_ups, request, by=ben)
    await organisation.run(
        write_to_customer, request, body="See the quote.", channels=[Channel.EMAIL], by=ben
    )
    return request


@pytest.fixture
async def mail(server: MailServer, asked: ServiceRequest) -> Mail:
    return (await server.deliver())[-1]


async def heard(organisation: Organisation) -> Message:
    [message] = [
        message for message in await organisation.messages() if message.direction == Direction.IN
    ]
    return message


async def files(organisation: Organisation) -> list[Attachment]:
    message = await heard(organisation)
    async with organisation.database.reading() as session:
        found = await attachments_by_message(session, [message])
    return list(found.get(message.id or 0, []))


async def is_answered(organisation: Organisation, request: ServiceRequest) -> bool:
    return (await organisation.reload(request)).open_question is None


def raw_mail(mail: Mail, content_type: str, body: bytes, encoding: str = "8bit") -> bytes:
    head = (
        f"From: {MARTIN}\r\nTo: {mail.header('Reply-To')}\r\nMessage-ID: <1@x>\r\n"
        f"MIME-Version: 1.0\r\nContent-Type: {content_type}\r\n"
        f"Content-Transfer-Encoding: {encoding}\r\n\r\n"
    )
    return head.encode() + body


SPANISH = "Sí, llegó esta mañana"
HEBREW = "כן, תודה, הכרטיס הגיע"
ARABIC = "نعم، وصلت البطاقة"
CHARSETS = {
    "none": ("text/plain", SPANISH, "latin-1"),
    "us-ascii": ("text/plain; charset=us-ascii", SPANISH, "latin-1"),
    "utf-8 for latin-1": ("text/plain; charset=utf-8", SPANISH, "latin-1"),
    "windows-1252 for utf-8": ("text/plain; charset=windows-1252", SPANISH, "utf-8"),
    "latin-1 for utf-8": ("text/plain; charset=iso-8859-1", SPANISH, "utf-8"),
    "unknown": ("text/plain; charset=x-unknown", SPANISH, "latin-1"),
    "hebrew, visual": ("text/plain; charset=iso-8859-8-i", HEBREW, "iso-8859-8"),
    "arabic": ("text/plain; charset=iso-8859-6-i", ARABIC, "iso-8859-6"),
    "arabic without a name": ("text/plain", ARABIC, "cp1256"),
    "arabic as latin-1": ("text/plain; charset=iso-8859-1", ARABIC, "cp1256"),
    "a page": ("text/html", f"<meta charset=iso-8859-1><p>{SPANISH}</p>", "latin-1"),
    "japanese": ("text/plain", "カードが届きました", "iso2022_jp"),
}


@pytest.mark.parametrize("case", CHARSETS)
async def test_letters_survive_a_charset_that_is_wrong_or_missing(
    case: str, server: MailServer, organisation: Organisation, mail: Mail
) -> None:
    content_type, text, charset = CHARSETS[case]
    assert await server.receive(raw_mail(mail, content_type, text.encode(charset))) == 204
    body = (await heard(organisation)).body
    assert body == text.rpartition("<p>")[2].removesuffix("</p>")


@pytest.mark.parametrize("case", ["none", "us-ascii", "utf-8 for latin-1"])
async def test_answer_in_a_wrong_charset_is_taken(
    case: str,
    server: MailServer,
    organisation: Organisation,
    asked: ServiceRequest,
    mail: Mail,
) -> None:
    content_type, _, charset = CHARSETS[case]
    assert await server.receive(raw_mail(mail, content_type, "Sí".encode(charset))) == 204
    assert await is_answered(organisation, asked)


STUB = "Your e-mail program does not show HTML. Please use a reader of HTML."
STRUCTURES = {
    "several texts": (
        "multipart/mixed; boundary=b",
        ("--b\r\nContent-Type: text/plain\r\n\r\nThe first.\r\n--b\r\nContent-Type: text/plain\r\n"
        "\r\nThe second.\r\n--b--"),
        "The first.\n\nThe second.",
    ),
    "enriched": (
        "text/enriched",
        "It is <bold>torn</bold>\r\nand bent.\r\n\r\n<color><param>red</param>Look</color>",
        "It is torn and bent.\nLook",
    ),
    "a text file": (
        "multipart/mixed; boundary=b",
        ("--b\r\nContent-Type: text/plain; name=reply.txt\r\nContent-Disposition: attachment;"
        " filename=reply.txt\r\n\r\nIt is torn.\r\n--b--"),
        "It is torn.",
    ),
    "no boundary": (
        "multipart/alternative",
        ("--b1\r\nContent-Type: text/plain\r\n\r\nIt is torn.\r\n--b1\r\nContent-Type: text/html\r\n"
        "\r\n<p>It is torn.</p>\r\n--b1--"),
        "It is torn.",
    ),
    "another boundary": (
        "multipart/mixed; boundary=other",
        "--b1\r\nContent-Type: text/plain\r\n\r\nIt is torn.\r\n--b1--",
        "It is torn.",
    ),
    "a stub": (
        "multipart/alternative; boundary=b",
        (f"--b\r\nContent-Type: text/plain\r\n\r\n{STUB}\r\n--b\r\nContent-Type: text/html\r\n\r\n"
        "<p>It is torn.</p>\r\n--b--"),
        "It is torn.",
    ),
    "a mail about HTML": (
        "multipart/alternative; boundary=b",
        ("--b\r\nContent-Type: text/plain\r\n\r\nYour HTML is broken.\r\n--b\r\nContent-Type:"
        " text/html\r\n\r\n<p>Your <b>HTML</b> is broken.</p>\r\n--b--"),
        "Your HTML is broken.",
    ),
    "signed": (
        'multipart/signed; protocol="application/pkcs7-signature"; boundary=b',
        ("--b\r\nContent-Type: text/plain\r\n\r\nIt is torn.\r\n--b\r\nContent-Type:"
        " application/pkcs7-signature; name=smime.p7s\r\nContent-Disposition: attachment;"
        " filename=smime.p7s\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA\r\n--b--"),
        "It is torn.",
    ),
    "signed by PGP": (
        'multipart/signed; protocol="application/pgp-signature"; boundary=b',
        ("--b\r\nContent-Type: text/plain\r\n\r\nIt is torn.\r\n--b\r\nContent-Type:"
        " application/pgp-signature; name=signature.asc\r\n\r\n-----BEGIN PGP-----\r\n--b--"),
        "It is torn.",
    ),
    "encrypted": (
        "application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m",
        "AAAA",
        "(A signed or encrypted e-mail, which could not be read.)",
    ),
    "winmail": (
        "multipart/mixed; boundary=b",
        ("--b\r\nContent-Type: text/plain\r\n\r\nIt is torn.\r\n--b\r\nContent-Type:"
        " application/ms-tnef; name=winmail.dat\r\n\r\nAAAA\r\n--b--"),
        "It is torn.\n\n(An Outlook attachment, winmail.dat, which could not be read.)",
    ),
    "a forwarded mail": (
        "multipart/mixed; boundary=b",
        ("--b\r\nContent-Type: message/rfc822; name=fwd.eml\r\nContent-Disposition: attachment;"
        " filename=fwd.eml\r\n\r\nFrom: courier@example.com\r\nSubject: =?utf-8?q?Not_delivered?=\r\n"
        "\r\nWe could not deliver: nobody at home. Reply STOP.\r\n--b--"),
        ("[Attached e-mail]\nFrom: courier@example.com\nSubject: Not delivered\n\n"
        "We could not deliver: nobody at home. Reply STOP."),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", STRUCTURES)
async def test_words_are_read_in_each_structure_and_nothing_is_a_refused_file(
    case: str, server: MailServer, organisation: Organisation, asked: ServiceRequest, mail: Mail
) -> None:
    content_type, body, expected = STRUCTURES[case]
    assert await server.receive(raw_mail(mail, content_type, body.encode(), "7bit")) == 204
    assert (await heard(organisation)).body == expected
    assert await files(organisation) == []
    assert (await organisation.reload(asked)).unanswered_since is not None


async def test_words_of_an_attached_mail_answer_nothing(
    server: MailServer, organisation: Organisation, asked: ServiceRequest, mail: Mail
) -> None:
    inner = EmailMessage()
    inner["From"], inner["Subject"] = "shop@example.com", "Offer"
    inner.set_content("Reply STOP to unsubscribe")
    answer = reply(mail, "Yes")
    answer.add_attachment(inner)
    assert await server.receive(answer) == 204
    assert (await heard(organisation)).body.startswith("Yes\n\n[Attached e-mail]\nFrom: shop@")
    assert not await is_answered(organisation, asked)


async def test_logos_of_a_signature_are_no_photos(
    server: MailServer, organisation: Organisation, mail: Mail
) -> None:
    """They take the place of no photo, and staff read that they were left out."""
    answer = EmailMessage()
    answer["From"], answer["To"] = MARTIN, mail.header("Reply-To")
    images = "".join(f'<img src="cid:logo{number}@x">' for number in range(12))
    answer.set_content(f"<p>It is torn, see the photo.</p><p>Miller Ltd {images}</p>", "html")
    for number in range(12):
        answer.add_related(
            photo(32, 32), "image", "png", cid=f"<logo{number}@x>", filename=f"i{number}.png"
        )
    answer.make_mixed()
    answer.add_attachment(photo(), "image", "jpeg", filename="IMG_2231.jpg")
    assert await server.receive(answer) == 204
    [file] = await files(organisation)
    assert (file.state, file.name) == (AttachmentState.STORED, "IMG_2231.jpg")
    assert "(12 small pictures within the text were left out.)" in (await heard(organisation)).body


async def test_picture_that_is_all_of_a_mail_is_a_photo(
    server: MailServer, organisation: Organisation, mail: Mail
) -> None:
    answer = EmailMessage()
    answer["From"], answer["To"] = MARTIN, mail.header("Reply-To")
    answer.set_content('<img src="cid:1@x">', "html")
    answer.add_related(photo(32, 32), "image", "png", cid="<1@x>", filename="card.png")
    assert await server.receive(answer) == 204
    [file] = await files(organisation)
    assert file.state == AttachmentState.STORED


async def test_sender_of_a_file_that_is_not_taken_reads_so_once_in_the_reply(
    server: MailServer, organisation: Organisation, mail: Mail
) -> None:
    answer = reply(mail, "It is torn, see the film.")
    answer.add_attachment(b"\0\0\0\x18ftypmp42" + b"\0" * 40, "video", "mp4", filename="a.mp4")
    answer.add_attachment(b"PK\3\4" + b"\0" * 40, "application", "msword", filename="a.docx")
    assert await server.receive(answer) == 204
    assert [file.state for file in await files(organisation)] == [AttachmentState.REFUSED] * 2
    told = (await server.deliver())[-1].text or ""
    assert told.count("A photo or file could not be taken: only photos (JPEG") == 1


async def test_heic_photo_is_stored_as_jpeg(
    server: MailServer, organisation: Organisation, mail: Mail
) -> None:
    answer = reply(mail, "It is torn, see the photo.")
    answer.add_attachment(heic_photo(), "image", "heic", filename="IMG_1.HEIC")
    assert await server.receive(answer) == 204
    [file] = await files(organisation)
    assert (file.state, file.name, file.media_type) == (
        AttachmentState.STORED, "IMG_1.jpg", "image/jpeg",
    )  # fmt: skip
    assert (file.width, file.height) == (64, 48)
