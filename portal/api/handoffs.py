"""Handing a request over: taken up, given back, taken back, and what the next should know."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import Field

from portal import operations
from portal.api.endpoint import Look
from portal.api.requests import whole
from portal.api.schemas.inputs import Body, Key, Moment, NoQuery, Reasoned, StageMove
from portal.api.schemas.records import Answered, Person, PromiseAnswer
from portal.api.schemas.requests import RequestAnswer
from portal.models import Channel, ContactReason, Message, ServiceRequest
from portal.operations import Turn
from portal.operations.customer_note import LONGEST_LINE
from portal.operations.third_parties import LONGEST_NAME, LONGEST_NUMBER, LONGEST_WORD
from portal.queries.desk.handover_summary import Story, read_story
from portal.queries.names import Names, load_names
from portal.queries.requests import get_service_request


class Minds(Body):
    """What the customer minds about, for colleagues alone; empty where nothing is known."""

    text: Annotated[str, Field(max_length=LONGEST_LINE)]


class Heard(Body):
    """What a third party says, such as a courier's "Out for delivery"."""

    event: Annotated[str, Field(min_length=1, max_length=LONGEST_WORD)]
    stage: Key | None = Field(default=None, description="Without it, the one that they do.")
    at: Moment | None = Field(default=None, description="When they said it; without it, now.")
    tracking_number: Annotated[str, Field(max_length=LONGEST_NUMBER)] | None = None
    third_party: Annotated[str, Field(max_length=LONGEST_NAME)] | None = Field(
        default=None, description="Who they are, where the workflow does not say."
    )


class SaidAnswer(Answered):
    """Words that were said."""

    body: str
    channel: Channel
    at: datetime

    @classmethod
    def of(cls, message: Message | None) -> Self | None:
        """The message's words; None where nobody has said any."""
        return cls.read(message, at=message.created_at) if message else None


class CameAnswer(Answered):
    """How often the customer came to us for one reason."""

    reason: ContactReason
    times: int


class ReturnAnswer(Answered):
    """One time that a department gave it back."""

    department: str | None
    at: datetime
    reason: str


class HandoverAnswer(Answered):
    """Words for whoever comes next."""

    words: str
    by: str
    at: datetime


class StoryAnswer(Answered):
    """What whoever takes a request over should know. Customers never see it."""

    reference: str
    owner: Person | None
    minds_about: str
    promises: list[PromiseAnswer] = Field(description="Those that are to be kept.")
    customer_said: SaidAnswer | None
    we_said: SaidAnswer | None
    contacts: list[CameAnswer] = Field(description="Why they came, the most frequent first.")
    returns: list[ReturnAnswer] = Field(description="Oldest first.")
    handovers: list[HandoverAnswer] = Field(description="Newest first, the last few.")

    @classmethod
    def of(cls, story: Story, request: ServiceRequest, names: Names, now: datetime) -> Self:
        """The story as it is now."""
        return cls(
            reference=request.reference,
            owner=Person.of(names, request.owner_id),
            minds_about=story.minds_about,
            promises=[PromiseAnswer.of(one, names, now) for one in story.promises],
            customer_said=SaidAnswer.of(story.they_said),
            we_said=SaidAnswer.of(story.we_said),
            contacts=[CameAnswer(reason=reason, times=times) for reason, times in story.contacts],
            returns=[
                ReturnAnswer.read(one, department=names.department_key(one.department_id))
                for one in story.returns
            ],
            handovers=[HandoverAnswer.read(one) for one in story.handovers],
        )


async def accept(turn: Turn, body: StageMove, reference: str) -> RequestAnswer:
    """Take up a handoff; the customer hears of the stage now."""
    request = await turn.lock(reference, body.version)
    await operations.accept(turn, request, stage=body.stage)
    return await whole(turn, request)


async def refuse(turn: Turn, body: Reasoned, reference: str) -> RequestAnswer:
    """Give a handoff back to its sender, with the reason."""
    request = await turn.lock(reference, body.version)
    await operations.refuse(turn, request, reason=body.reason, stage=body.stage)
    return await whole(turn, request)


async def recall(turn: Turn, body: StageMove, reference: str) -> RequestAnswer:
    """Take back what was passed on and nobody has taken up; the customer is told nothing."""
    request = await turn.lock(reference, body.version)
    await operations.recall(turn, request, stage=body.stage)
    return await whole(turn, request)


async def note_minds(turn: Turn, body: Minds, reference: str) -> RequestAnswer:
    """Note what the customer minds about, for whoever takes the request over."""
    request = await turn.lock(reference)
    await operations.note_minds(turn, request, body.text)
    return await whole(turn, request)


async def hear_from_third_party(turn: Turn, body: Heard, reference: str) -> RequestAnswer:
    """Note what a third party says of its stage; the customer reads it."""
    request = await turn.lock(reference)
    await operations.hear_from_third_party(
        turn, request, words=body.event, stage=body.stage, at=body.at,
        tracking_number=body.tracking_number, third_party=body.third_party,
    )  # fmt: skip
    return await whole(turn, request)


async def show_story(look: Look, _: NoQuery, reference: str) -> StoryAnswer:
    """The story so far, for whoever takes the request over."""
    request = await get_service_request(look.session, reference)
    story = await read_story(look.session, request)
    people = {request.owner_id, *(promise.owner_id for promise in story.promises)}
    names = await load_names(look.session, people)
    return StoryAnswer.of(story, request, names, look.now)
