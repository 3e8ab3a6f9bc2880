"""The title of a stage that waits for the customer's items, once all of them have come."""

from collections.abc import Iterable
from typing import Protocol

from portal.i18n.lazy_string import LazyString
from portal.models.requests.need import TO_SEND, NeedState

CHECKING = LazyString("We are checking what you sent")
ACCEPTED = LazyString("We have what you sent")


class Item(Protocol):
    """What is read of a Need, or of a row of one."""

    @property
    def stage_key(self) -> str:
        """The key of its stage."""

    @property
    def state(self) -> str:
        """A NeedState."""


def title_of_sent(items: Iterable[Item], stage_key: str) -> LazyString | None:
    """What the open stage of that key says in place of its title; None while an item is to come.

    Also None where the stage needs no item.
    """
    states = {
        item.state
        for item in items
        if item.stage_key == stage_key and item.state != NeedState.WITHDRAWN
    }
    if not states or states & {*TO_SEND}:
        return None
    return ACCEPTED if states == {NeedState.ACCEPTED} else CHECKING
