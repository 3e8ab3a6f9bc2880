"""What we may send after a wish, and what we reply to it."""

import pytest

from portal.models import Channel, Direction, Message, MessageKind
from portal.queries.consent import ConsentQuery, find_permitted
from portal.settings import Settings
from tests.support.factories import Organisation


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """With an address for replies by mail."""
    return settings.model_copy(update={"mail_from": "Acme Bank <desk@acme.example>"})


async def is_permitted(
    organisation: Organisation, channel: Channel, address: str | None, request_id: int | None
) -> bool:
    """Whether we may write to this address, about this request if one is given."""
    query = ConsentQuery(channel, address or "", request_id)
    async with organisation.database.reading() as session:
        return query in await find_permitted(session, [query])


async def replies(organisation: Organisation) -> list[Message]:
    """What we say after the first text about the card."""
    sent = [each for each in await organisation.messages() if each.direction == Direction.OUT]
    return [each for each in sent if each.kind != MessageKind.MILESTONE]
