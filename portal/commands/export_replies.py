"""`kept replies`: what people said that customers' words mean, so that the corpus grows."""

import csv
import io
import re
from typing import Any

from sqlmodel import col, select

from portal.commands.runner import act
from portal.messaging.intents.classifier import plain_words
from portal.models import Customer, Direction, Message
from portal.operations import Relay
from portal.settings import Settings

MAIL = re.compile(r"\S+@\S+\w")
LINK = re.compile(r"\bhttps?://\S+")
DIGIT = re.compile(r"\d")
A_LONG_NUMBER = re.compile(r"\+?\d(?:[\s().-]?\d){5,}")
WORD = re.compile(r"[^\W\d_]+")


def export(settings: Settings) -> list[str]:
    """CSV with a heading, `text,label`: a line for each message that a person labelled.

    Without the customer's name, addresses, links and long numbers. What else the words tell is
    for whoever asks for them to read.
    """

    async def read(relay: Relay) -> list[str]:
        query: Any = (
            select(Message.body, Message.meaning, Customer.name)
            .join(Customer, col(Customer.id) == col(Message.customer_id))
            .where(col(Message.direction) == Direction.IN, col(Message.meaning_by) != "")
            .order_by(col(Message.id))
        )
        async with relay.database.reading() as session:
            rows = (await session.exec(query)).all()
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(("text", "label"))
        writer.writerows((without_names(body, name), meaning) for body, meaning, name in rows)
        return out.getvalue().splitlines()

    return act(settings, read)


def without_names(text: str, name: str) -> str:
    """The words without what tells of whom they are, in one line."""
    names = set(plain_words(name).split())
    text = MAIL.sub("[mail]", LINK.sub("[link]", text))
    text = A_LONG_NUMBER.sub(lambda found: DIGIT.sub("0", found[0]), text)
    text = WORD.sub(lambda found: "[name]" if plain_words(found[0]) in names else found[0], text)
    return " ".join(text.split())
