"""Files that may not be the customer's count for no item: a person judges them."""

import pytest

from portal.attachments.stored_file import StoredFile
from portal.messaging.email.inbound import InboundEmail
from portal.models import CUSTOMER_ACTOR, NeedState
from portal.operations import advance, receive_email
from tests.support.factories import MARTIN
from tests.support.workflows import DRAWINGS, ITEM

pytestmark = pytest.mark.either_database


@pytest.fixture
async def permit(clock, organisation):
    """Martin's garage, for which the counter waits for his plans."""
    await organisation.load(DRAWINGS.format(items=ITEM))
    request = await organisation.open("garage", by=organisation.people.cora.actor)
    return await organisation.run(advance, request, by=organisation.people.cora.actor)


@pytest.fixture
def mail_plans(organisation, monkeypatch):
    """A mail with a PDF and no words."""
    monkeypatch.setattr("portal.operations.conversation.attachments._is_stored", lambda *_: True)
    plans = StoredFile(digest="a" * 64, media_type="application/pdf", size=100, name="plans.pdf")

    async def mail_plans(request, sender, **more):
        mail = InboundEmail(
            message_id="<1@example.com>", sender=sender, recipients="", words="", **more
        )
        await organisation.run_unbound(
            receive_email, mail=mail, request_id=request.id, files=[plans], by=CUSTOMER_ACTOR
        )
        return await organisation.reload(request)

    return mail_plans


@pytest.mark.parametrize(
    ("sender", "more"),
    [
        ("stranger@example.org", {}),
        (MARTIN.email, {"is_proven": False}),
        (MARTIN.email, {"says_more": True}),
    ],
)
async def test_file_that_may_not_be_theirs_is_no_item(permit, mail_plans, sender, more):
    seen = await mail_plans(permit, sender, **more)
    assert [need.state for need in seen.needs] == [NeedState.NEEDED]
    assert seen.status == permit.status
    assert seen.unanswered_since is not None, "a person judges it"


async def test_file_of_the_customer_is_the_item(permit, mail_plans):
    seen = await mail_plans(permit, MARTIN.email)
    assert [need.state for need in seen.needs] == [NeedState.SENT]
