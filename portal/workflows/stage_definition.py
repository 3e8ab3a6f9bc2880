"""A stage: who does it, what customers read of it, what it waits for and what it needs.

It is stored with its workflow as JSON: whatever is added here later needs a default.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from portal.workflows.json_duration import ZERO_DURATION, JsonDuration
from portal.workflows.localized_text import LocalizedText
from portal.workflows.question_definition import FollowUpDefinition

CustomerAction = Literal["files", "come", "decide", "time"]
"""What a customer does in a stage that waits for them: send files, come, decide, name a time."""


@dataclass(frozen=True)
class NeedDefinition:
    """One item that a stage needs from the customer, and how they send it."""

    key: str
    title: LocalizedText
    help: LocalizedText | None = None


@dataclass(frozen=True)
class StageDefinition:
    """One step: who does it, what the customer reads, how long it takes and what it waits for.

    It is late after `expected`, and a dropped ball after `grace` more. `sms` is None for the
    product's own text; `update_every` is None where no update is promised between milestones.
    `question` is asked when the stage is reached. Messages of an `urgent` stage are sent at any
    hour. `third_party` is the outside company that does it ("" for none), `silent_after` how
    long it may be silent (None: without limit).
    """

    key: str
    department: str
    name: str
    title: LocalizedText
    expected: JsonDuration
    grace: JsonDuration = ZERO_DURATION
    milestone: bool = True
    sms: LocalizedText | None = None
    update_every: JsonDuration | None = None
    pauses_clock: bool = False
    after: tuple[str, ...] = ()
    question: FollowUpDefinition | None = None
    urgent: bool = False
    third_party: str = ""
    silent_after: JsonDuration | None = None
    tracking_url: str = ""
    """The address of a tracking page, with ``{number}``; empty for that of the carrier."""
    delivered: Literal["", "complete", "keep"] = ""
    """What "delivered" of a third party does: complete the stage, or leave it to staff. Empty
    completes the third party's own stage, and no stage after it."""
    delay: LocalizedText | None = None
    """Why it may take longer, as customers read it; None for the product's own text."""
    title_next: LocalizedText | None = None
    title_done: LocalizedText | None = None
    """The title while it is still to come and once it is completed; see ``title_to_come``."""
    waits_for: Literal["customer"] | LocalizedText | None = None
    """Whom its pause waits for: the customer, or a third party by name."""
    ask: CustomerAction | None = None
    place: LocalizedText | None = None
    bring: LocalizedText | None = None
    """Where the customer comes, and what they bring."""

    @property
    def title_to_come(self) -> LocalizedText:
        """The title in a list of steps before it begins: ``title`` where the file has no other."""
        return self.title_next or self.title

    @property
    def title_when_done(self) -> LocalizedText:
        """The title in a list of steps once completed: ``title`` where the file has no other."""
        return self.title_done or self.title

    @property
    def third_party_awaited(self) -> LocalizedText | None:
        """The third party that its pause waits for; None where it waits for nobody or the customer."""
        return self.waits_for if isinstance(self.waits_for, LocalizedText) else None

    @property
    def customer_action(self) -> CustomerAction | None:
        """What the customer does; None where it is not known."""
        if self.ask is None and self.question is not None:
            return "time" if self.question.expects == "time" else "decide"
        return self.ask

    @property
    def is_customers_turn(self) -> bool:
        """Whether its pause is known to wait for the customer."""
        return self.waits_for == "customer" or self.customer_action is not None

    @property
    def waits_for_customers_part(self) -> bool:
        """Whether the customer does something in it: it is their turn, or it needs items of theirs."""
        return self.is_customers_turn or bool(self.needs)

    needs: tuple[NeedDefinition, ...] = ()
    """What the customer sends while the stage is open; the keys differ in the whole file."""
