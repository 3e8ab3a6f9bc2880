"""Nothing of a person is recorded on a request again once they are erased."""

import httpx2
import pytest

from portal.models import SYSTEM_ACTOR, ServiceRequest
from portal.operations.privacy.erase import erase_person
from tests.stories.test_every_operation_is_authorized import (
    API,
    REQUEST_ACTIONS,
    REQUEST_ACTIONS_OPEN_TO_ALL,
    STRANGER,
    SignIn,
    case,
    everything,
)
from tests.stories.test_every_operation_is_authorized import Case as HandedOver
from tests.support.desk_client import hidden_fields
from tests.support.factories import MARTIN, Organisation
from tests.support.twilio_client import TwilioClient

pytestmark = pytest.mark.either_database

__all__ = ["case"]


@pytest.fixture
async def erased(case: HandedOver, organisation: Organisation) -> HandedOver:
    """The same request after its customer is erased."""
    await erase_person(organisation.operations, SYSTEM_ACTOR, MARTIN.phone or "", cancel_open=True)
    return HandedOver(await organisation.reload(case.request), case.ids)


async def test_every_write_of_the_api_to_an_erased_request_is_a_conflict(
    api: httpx2.AsyncClient, organisation: Organisation, erased: HandedOver
) -> None:
    before = await everything(organisation, erased)
    answers = {
        path: await api.post(erased.path(path), json=body)
        for path, (_, body) in API.items()
        if path.startswith(("/requests/", "/messages/", "/dropped-balls/"))
    }
    assert {path: answer.status_code for path, answer in answers.items()} == dict.fromkeys(
        answers, 409
    )
    assert await everything(organisation, erased) == before


async def test_no_action_of_the_desk_changes_an_erased_request(
    desk_clients: SignIn, organisation: Organisation, erased: HandedOver
) -> None:
    mona = await desk_clients("mona")
    reference = erased.request.reference
    page = await mona.page(erased.request)
    carried = hidden_fields(page, "/desk/sign-out") | {
        "version": str(erased.request.version), "zone": "UTC",
    }  # fmt: skip
    before = await everything(organisation, erased)
    actions = REQUEST_ACTIONS | REQUEST_ACTIONS_OPEN_TO_ALL
    answers: dict[str, int] = {}
    for verb, fields in actions.items():
        name, _, last = verb.rpartition("/")
        item = erased.ids["promise_id" if name == "promises" else "inbound_id"]
        is_of_item = verb.startswith("promises/") or verb == "messages/meaning"
        path = f"{name}/{item}/{last}" if is_of_item else verb
        answer = await mona.client.post(f"/desk/requests/{reference}/{path}", data=carried | fields)
        answers[verb] = answer.status_code
    # It has no items that are needed.
    assert answers == {verb: 404 if verb.startswith("needs/") else 409 for verb in answers}
    assert await everything(organisation, erased) == before
    for verb in actions:
        assert f'action="/desk/requests/{reference}/{verb}"' not in page


async def test_text_of_a_stranger_is_not_attached_to_an_erased_request(
    desk_clients: SignIn,
    organisation: Organisation,
    card_request: ServiceRequest,
    twilio: TwilioClient,
) -> None:
    await twilio.text("Is this the bank?", From=STRANGER)
    await erase_person(organisation.operations, SYSTEM_ACTOR, MARTIN.phone or "", cancel_open=True)
    [text] = [
        message for message in await organisation.messages() if message.from_address == STRANGER
    ]
    mona = await desk_clients("mona")
    form = hidden_fields((await mona.get("/desk/inbox")).text, "/desk/sign-out")
    answer = await mona.client.post(
        f"/desk/inbox/{text.id}/attach", data=form | {"reference": card_request.reference}
    )
    assert answer.status_code == 409
    assert "were erased" in answer.text
    assert "Is this the bank?" in (await mona.get("/desk/inbox")).text
    [text] = [
        message for message in await organisation.messages() if message.from_address == STRANGER
    ]
    assert text.request_id is None
