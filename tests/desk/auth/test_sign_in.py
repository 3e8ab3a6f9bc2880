"""Sign-in: who may sign in, how long a session is valid, and which forms are accepted."""

from datetime import timedelta
from typing import Any

import httpx2
import pytest

from portal.desk.auth.sign_in_cookie import SIGN_IN_COOKIE
from portal.models import SYSTEM_ACTOR, ServiceRequest
from portal.operations import Operations, add_staff, disable_staff
from tests.support.desk_client import HTMX, ORIGIN, PASSWORD, hidden_fields
from tests.support.factories import Organisation

pytestmark = pytest.mark.either_database


async def test_anonymous_is_redirected_to_sign_in_and_back(
    client: httpx2.AsyncClient, card_request: ServiceRequest
) -> None:
    url = f"/desk/requests/{card_request.reference}?done=hold"
    answer = await client.get(url)
    assert answer.status_code == 303
    door = answer.headers["Location"]
    assert door.startswith("/desk/sign-in?back=/desk/requests/")
    assert (
        f'value="/desk/requests/{card_request.reference}?done=hold"'
        in (await client.get(door)).text
    )


async def test_fragment_endpoints_require_sign_in(
    client: httpx2.AsyncClient, card_request: ServiceRequest
) -> None:
    """The page's script is told to go to the door as a whole; nothing is shown."""
    url = f"/desk/requests/{card_request.reference}"
    for answer in (
        await client.get(url, headers=HTMX | {"HX-Current-URL": f"{ORIGIN}{url}"}),
        await client.post(f"{url}/cancel", headers=HTMX, data={"version": "1", "reason": "x"}),
    ):
        assert answer.status_code == 401
        assert answer.headers["HX-Redirect"].startswith("/desk/sign-in")
        assert answer.text == ""
    assert (await client.get(f"{url}/live")).status_code == 401


async def test_wrong_password_and_unknown_address_get_the_same_error(
    desk_clients: Any, client: httpx2.AsyncClient
) -> None:
    await desk_clients("pia")
    wrong = await client.post(
        "/desk/sign-in", data={"email": "pia@acme.example", "password": "not this one"}
    )
    unknown = await client.post(
        "/desk/sign-in", data={"email": "pia@acme.exampl", "password": "not this one"}
    )
    assert wrong.status_code == unknown.status_code == 422
    assert wrong.text.replace("acme.example", "acme.exampl") == unknown.text
    assert "do not belong together" in wrong.text
    assert SIGN_IN_COOKIE not in client.cookies


async def test_staff_without_a_password_cannot_sign_in(
    organisation: Organisation, client: httpx2.AsyncClient
) -> None:
    answer = await client.post("/desk/sign-in", data={"email": "uma@acme.example", "password": ""})
    assert answer.status_code == 422


@pytest.mark.parametrize(
    "back",
    [
        "https://evil.example/desk",
        "//evil.example/desk",
        "/\\evil.example",
        "/desk/../r/abc",
        "javascript:alert(1)",
        "/deskevil",
        "/desk/sign-out",
    ],
)
async def test_sign_in_redirect_stays_on_the_desk(
    desk_clients: Any, client: httpx2.AsyncClient, back: str
) -> None:
    await desk_clients("pia")
    told = {"email": "pia@acme.example", "password": PASSWORD, "back": back}
    answer = await client.post("/desk/sign-in", data=told)
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/desk"


async def test_session_cookie_is_http_only(desk_clients: Any, client: httpx2.AsyncClient) -> None:
    await desk_clients("pia")
    told = {"email": "PIA@acme.example ", "password": PASSWORD}
    answer = await client.post("/desk/sign-in", data=told)
    cookie = answer.headers["Set-Cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "max-age=43200" in cookie


async def test_sign_out_ends_the_session(desk_clients: Any) -> None:
    pia = await desk_clients("pia")
    board = await pia.get("/desk")
    token = hidden_fields(board.text, "/desk/sign-out")
    assert (await pia.client.post("/desk/sign-out", data=token)).status_code == 303
    assert (await pia.get("/desk")).status_code == 303


async def test_session_ends_when_staff_is_disabled(
    desk_clients: Any, organisation: Organisation
) -> None:
    pia = await desk_clients("pia")
    assert (await pia.get("/desk")).status_code == 200
    await organisation.run_unbound(disable_staff, by=SYSTEM_ACTOR, email="pia@acme.example")
    assert (await pia.get("/desk")).status_code == 303
    told = {"email": "pia@acme.example", "password": PASSWORD}
    assert (await pia.client.post("/desk/sign-in", data=told)).status_code == 422


async def test_forged_session_cookie_is_rejected(
    client: httpx2.AsyncClient, organisation: Organisation
) -> None:
    client.cookies.set(SIGN_IN_COOKIE, "eyJzdGFmZiI6MX0.aaaa.bbbb")
    assert (await client.get("/desk")).status_code == 303


async def invited(operations: Operations) -> str:
    async with operations.begin(SYSTEM_ACTOR) as uow:
        _, secret = await add_staff(uow, email="new@acme.example", name="Nell New")
    return f"/desk/invitations/{secret}"


async def test_invitation_sets_a_password_once(
    operations: Operations, organisation: Organisation, client: httpx2.AsyncClient
) -> None:
    url = await invited(operations)
    assert "Welcome, Nell New" in (await client.get(url)).text
    first = await client.post(url, data={"password": "three unrelated words"})
    assert first.status_code == 303
    assert (await client.get("/desk")).status_code == 200
    again = await client.post(url, data={"password": "another person's words"})
    assert again.status_code == 404
    assert (await client.get(url)).status_code == 404
    told = {"email": "new@acme.example", "password": "three unrelated words"}
    assert (await client.post("/desk/sign-in", data=told)).status_code == 303


async def test_invitation_expires(
    operations: Operations, organisation: Organisation, client: httpx2.AsyncClient, clock: Any
) -> None:
    url = await invited(operations)
    clock.shift(timedelta(days=7))
    answer = await client.get(url)
    assert answer.status_code == 404
    assert "does not work any more" in answer.text


async def test_short_password_is_rejected_and_the_invitation_stays(
    operations: Operations, organisation: Organisation, client: httpx2.AsyncClient
) -> None:
    url = await invited(operations)
    answer = await client.post(url, data={"password": "elevenchars"})
    assert answer.status_code == 422
    assert "at least 12 characters" in answer.text
    assert (await client.get(url)).status_code == 200


async def test_form_without_a_token_is_rejected(
    desk_clients: Any, card_request: ServiceRequest
) -> None:
    tess = await desk_clients("tess")
    answer = await tess.submit(card_request, "cancel", form_token="", reason="because")
    assert answer.status_code == 403
    assert "nothing was done" in answer.text


async def test_token_of_another_session_is_rejected(
    desk_clients: Any, card_request: ServiceRequest
) -> None:
    tess, tom = await desk_clients("tess"), await desk_clients("tom")
    toms = hidden_fields(
        await tom.page(card_request), f"/desk/requests/{card_request.reference}/cancel"
    )
    answer = await tess.submit(
        card_request, "cancel", form_token=toms["form_token"], reason="because"
    )
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
    ],
)
async def test_form_from_another_site_is_rejected(
    desk_clients: Any,
    organisation: Organisation,
    card_request: ServiceRequest,
    headers: dict[str, str],
) -> None:
    tess = await desk_clients("tess")
    url = f"/desk/requests/{card_request.reference}/cancel"
    told = hidden_fields(await tess.page(card_request), url) | {"reason": "because"}
    answer = await tess.client.post(url, data=told, headers=headers)
    assert answer.status_code == 403
    assert (await organisation.reload(card_request)).status == "open"
    door = {"email": "tess@acme.example", "password": PASSWORD}
    assert (await tess.client.post("/desk/sign-in", data=door, headers=headers)).status_code == 403


async def test_same_origin_form_is_accepted(
    desk_clients: Any, card_request: ServiceRequest
) -> None:
    tess = await desk_clients("tess")
    url = f"/desk/requests/{card_request.reference}/messages"
    for headers in ({"Sec-Fetch-Site": "same-origin"}, {"Origin": ORIGIN}):
        told = hidden_fields(await tess.page(card_request), url) | {"body": "Hello"}
        assert (await tess.client.post(url, data=told, headers=headers)).status_code == 303
