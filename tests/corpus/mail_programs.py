"""Replies as mail programs make them, in each language, of one mail of ours.

``mail_programs.toml`` has what the programs put around a quotation; the replies are put together
here.
"""

import re
import textwrap
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape, unescape
from pathlib import Path
from typing import Any

DATA = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
LANGUAGES, PROGRAMS, MORE_HEADERS = DATA["languages"], DATA["programs"], DATA["more_headers"]
POSITIONS = ("top", "bottom", "interleaved")
NAMES = {
    "name": "Acme Bank",
    "address": "desk@acme.example",
    "to": "martin@example.com",
    "to_name": "Martin Miller",
    "subject": "Credit card (CARD-7K4M-2Q9)",
}
OWN = (
    ("Yes, it arrived this morning.", "Thank you!"),
    ("No", "I am at home on Friday at 3 pm."),
    ("Sí, ya llegó.\n\nMuchas gracias por todo.", "El nombre está mal."),
    ("وصلت البطاقة اليوم", "شكرا لكم"),
    ("Please ring the bell, it is broken.\nThe second floor.", "Not before noon, please"),
)


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply and what its sender wrote."""

    id: str
    text: str
    own: str
    is_html: bool


def replies(program: str, text: str, page: str) -> Iterator[Reply]:
    """All replies of one program to a mail of ours with these two parts."""
    for number, (language, words) in enumerate(LANGUAGES.items()):
        first, second = OWN[number % len(OWN)]
        for position in POSITIONS:
            own = f"{first}\n\n{second}" if position == "interleaved" else first
            for is_html in (False, True):
                make = _page if is_html else _plain
                from_page = PROGRAMS[program].get("written_from") == "page"
                source = page if is_html else _as_text(page) if from_page else text
                yield Reply(
                    f"{program} {language} {position} {'page' if is_html else 'plain'}",
                    make(PROGRAMS[program], words, source, position, (first, second)),
                    own,
                    is_html,
                )


def _header(program: dict[str, Any], words: dict[str, Any]) -> list[str]:
    said = {name: words[name].format(**NAMES) for name in ("attribution", "apple", "bare")}
    sender, sent, to, subject = words["labels"]
    labels = [
        f"{sender}: {NAMES['name']} <{NAMES['address']}>",
        f"{sent}: {words['date']}",
        f"{to}: {NAMES['to_name']} <{NAMES['to']}>",
        f"{subject}: {NAMES['subject']}",
    ]
    rule = f"-------- {words['original']} --------"
    return {
        **{name: [sentence] for name, sentence in said.items()},
        "labels": labels,
        "labels_first_date": [labels[1], labels[0], *labels[2:]],
        "original": [rule, *labels],
        "ruled": [rule, said["attribution"]],
        "dashed": [f"---- {said['attribution'].rstrip(':')} ----"],
    }[program["header"]]


def _device(program: dict[str, Any], words: dict[str, Any]) -> str:
    return words["device"].format(device=program["device"]) if "device" in program else ""


def _as_text(page: str) -> str:
    """The page as a mail program writes it into a text: links in brackets, bold in stars."""
    body = page[page.index("<body") :].partition(">")[2].partition("</body>")[0]
    body = re.sub(r'<a [^>]*href="([^"]+)"[^>]*>([^<]*)</a>', r"\2 <\1>", body)
    body = re.sub(r"</?b(?: [^>]*)?>", "*", body.replace("\n", ""))
    body = re.sub(r"<(?:br|/tr|/h1|/div)[^>]*>", "\n", body)
    lines = (unescape(re.sub(r"<(?!http)[^>]*>", "", line)).strip() for line in body.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _plain(
    program: dict[str, Any], words: dict[str, Any], text: str, position: str, own: tuple[str, str]
) -> str:
    lines = [
        wrapped
        for line in text.strip().split("\n")
        for wrapped in (textwrap.wrap(line, program["wrap"]) if program["wrap"] else [line]) or [""]
    ]
    middle = len(lines) // 2
    while lines[middle - 1].strip() and middle < len(lines) - 3:
        middle += 1
    mark = program["mark"]
    quoted = [f"{mark}{line}".rstrip() for line in lines]
    header = _header(program, words)
    if program["wrap"] and len(header) == 1:
        header = textwrap.wrap(header[0], program["wrap"])
    if program.get("header_is_marked"):
        header = [f"{mark}{line}" for line in header] + [mark.strip()]
    head = [*([program["rule"]] if "rule" in program else []), *header, ""]
    device = ["", _device(program, words)] if _device(program, words) else []
    first, second = own
    if position == "top":
        parts = [first, *device, "", *head, *quoted]
    elif position == "bottom":
        parts = [*head, *quoted, "", first, *device]
    else:
        parts = [*head, *quoted[:middle], "", first, "", *quoted[middle:], "", second, *device]
    return "\r\n".join(parts)


def _page(
    program: dict[str, Any], words: dict[str, Any], page: str, position: str, own: tuple[str, str]
) -> str:
    first, second = (
        "".join(f"<div>{escape(line) or '<br>'}</div>" for line in said.split("\n")) for said in own
    )
    device = _device(program, words)
    first_device = first + (f"<div><br></div><div>{escape(device)}</div>" if device else "")
    head = "<br>".join(escape(line) for line in _header(program, words))
    body = page[page.index("<body") :].partition(">")[2].partition("</body>")[0]
    before, _, after = program["html"].partition("HEAD")
    between, _, end = after.partition("BODY")
    if position == "interleaved":
        at = body.rindex("<tr>", 0, body.index("border-radius"))
        first_row, rest = body[:at], body[at:]
        body = f"{first_row}<tr><td>{first}</td></tr>{rest}"
        quoted = f"{before}{head}{between}{body}{end}"
        return f"<html><body>{quoted}<br>{second}</body></html>"
    quoted = f"{before}{head}{between}{body}{end}"
    if position == "top":
        return f"<html><body>{first_device}<br>{quoted}</body></html>"
    return f"<html><body>{quoted}<br>{first_device}</body></html>"
