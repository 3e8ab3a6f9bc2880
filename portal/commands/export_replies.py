"""`kept replies`: the intents that staff corrected, to extend the corpus."""

import csv
import io
import re
from typing import Any

from sqlmodel import col, select

from portal.commands.runner import command
from portal.messaging.intents.classifier import normalize_words
from portal.models import Customer, Direction, Message
from portal.operations import Operations

MAIL = re.compile(r"(?<!\S)\S+@\S+\w")
LINK = re.compile(r"\bhttps?://\S+")
DIGIT = re.compile(r"\d")
LONG_NUMBER_PATTERN = re.compile(r"\+?\d(?:[\s().-]?\d){5,}+")
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001
"""What makes a spreadsheet take a cell for a formula (OWASP, CSV Injection)."""
WORD = re.compile(r"[^\W\d_]+")


@command
async def export_labelled_replies(operations: Operations) -> list[str]:
    """CSV with a heading, `text,label,because`: a line for each message whose intent staff corrected.

    ``because`` are the words by which the rules read it before the correction.

    A text that a spreadsheet would take for a formula begins with an apostrophe.
    Without the customer's name, addresses, links and long numbers. Other personal data in the
    text remains: review the export before sharing it.
    """
    query: Any = (
        select(Message.body, Message.intent, Message.because, Customer.name)
        .join(Customer, col(Customer.id) == col(Message.customer_id))
        .where(col(Message.direction) == Direction.IN, col(Message.intent_corrected_by) != "")
        .order_by(col(Message.id))
    )
    async with operations.database.reading() as session:
        rows = (await session.exec(query)).all()
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("text", "label", "because"))
    for body, intent, because, name in rows:
        text, words = (redact_personal_data(each, name) for each in (body, because))
        writer.writerow((escape_formula(text), intent, escape_formula(words)))
    return out.getvalue().splitlines()


def escape_formula(cell: str) -> str:
    """The cell with an apostrophe before it, where a spreadsheet would take it for a formula."""
    return f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell


def redact_personal_data(text: str, name: str) -> str:
    """The text without personal data, in one line."""
    names = set(normalize_words(name).split())
    text = MAIL.sub("[mail]", LINK.sub("[link]", text))
    text = LONG_NUMBER_PATTERN.sub(lambda match: DIGIT.sub("0", match[0]), text)
    text = WORD.sub(
        lambda match: "[name]" if normalize_words(match[0]) in names else match[0], text
    )
    return " ".join(text.split())
