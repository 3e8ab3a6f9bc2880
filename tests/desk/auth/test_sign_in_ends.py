"""When a sign-in at the desk ends, and that its cookie is worth nothing from then on."""

from datetime import timedelta
from typing import Any

import httpx2
import pytest
from sqlmodel import col, select
from starlette.applications import Starlette
from starlette.requests import HTTPConnection

from portal.database import Database
from portal.desk.auth.current_staff import is_still_signed_in
from portal.desk.auth.sign_in_cookie import SIGN_IN_COOKIE
from portal.models import SYSTEM_ACTOR, ServiceRequest, SignInEnd, StaffSignIn
from portal.operations import Operations, add_staff, disable_staff
from tests.support.desk_client import PASSWORD, DeskClient, hidden_fields
from tests.support.factories import Organisation

pytestmark = pytest.mark.either_database

NEW_PASSWORD = "three unrelated words"


def session_cookie(desk: DeskClient) -> str:
    return str(desk.client.cookies[SIGN_IN_COOKIE])


async def status_with(client: httpx2.AsyncClient, cookie: str) -> int:
    """What the board answers to whoever has kept this cookie."""
    answer = await client.get("/desk", headers={"Cookie": f"{SIGN_IN_COOKIE}={cookie}"})
    return answer.status_code


async def press(desk: DeskClient, page: str, action: str, **typed: str) -> httpx2.Response:
    fields = hidden_fields((await desk.get(page)).text, action)
    return await desk.client.post(action, data=fields | typed)


async def reinvite(operations: Operations, email: str) -> str:
    async with operations.begin(SYSTEM_ACTOR) as uow:
        _, secret = await add_staff(uow, email=email, name="Pia Again")
    return f"/desk/invitations/{secret}"


async def end_reasons(database: Database) -> list[SignInEnd | None]:
    async with database.reading() as session:
        return list(
            (await session.exec(select(StaffSignIn.end_reason).order_by(col(StaffSignIn.id)))).all()
        )


async def test_kept_cookie_is_refused_after_sign_out(
    desk_clients: Any, client: httpx2.AsyncClient, database: Database
) -> None:
    pia = await desk_clients("pia")
    cookie = session_cookie(pia)
    assert await status_with(client, cookie) == 200
    assert (await press(pia, "/desk", "/desk/sign-out")).status_code == 303
    assert await status_with(client, cookie) == 303
    assert await end_reasons(database) == [SignInEnd.SIGNED_OUT]


async def test_sign_in_that_has_ended_stays_ended_when_the_clock_is_set_back(
    desk_clients: Any, client: httpx2.AsyncClient, clock: Any
) -> None:
    pia = await desk_clients("pia")
    cookie = session_cookie(pia)
    assert (await press(pia, "/desk", "/desk/sign-out")).status_code == 303
    clock.shift(timedelta(minutes=-10))
    assert await status_with(client, cookie) == 303


async def test_sign_out_leaves_other_browsers_signed_in(
    desk_clients: Any, client: httpx2.AsyncClient
) -> None:
    pia = await desk_clients("pia")
    credentials = {"email": "pia@acme.example", "password": PASSWORD}
    assert (await client.post("/desk/sign-in", data=credentials)).status_code == 303
    await press(pia, "/desk", "/desk/sign-out")
    assert (await client.get("/desk")).status_code == 200


async def test_sign_out_everywhere_ends_every_sign_in(
    desk_clients: Any, client: httpx2.AsyncClient
) -> None:
    pia, tess = await desk_clients("pia"), await desk_clients("tess")
    credentials = {"email": "pia@acme.example", "password": PASSWORD}
    await client.post("/desk/sign-in", data=credentials)
    answer = await press(pia, "/desk/account", "/desk/account/sign-out")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/desk/sign-in")
    assert (await client.get("/desk")).status_code == 303
    assert (await pia.get("/desk")).status_code == 303
    assert (await tess.get("/desk")).status_code == 200


async def test_sign_in_again_in_one_browser_ends_the_earlier_one(
    desk_clients: Any, client: httpx2.AsyncClient
) -> None:
    pia = await desk_clients("pia")
    cookie = session_cookie(pia)
    credentials = {"email": "pia@acme.example", "password": PASSWORD}
    assert (await pia.client.post("/desk/sign-in", data=credentials)).status_code == 303
    assert session_cookie(pia) != cookie
    assert await status_with(client, cookie) == 303


async def test_colleague_who_signs_in_in_the_same_browser_ends_the_earlier_sign_in(
    desk_clients: Any, client: httpx2.AsyncClient
) -> None:
    pia, tess = await desk_clients("pia"), await desk_clients("tess")
    cookie = session_cookie(pia)
    credentials = {"email": "tess@acme.example", "password": PASSWORD}
    assert (await pia.client.post("/desk/sign-in", data=credentials)).status_code == 303
    assert await status_with(client, cookie) == 303
    assert (await tess.get("/desk")).status_code == 200


async def test_new_invitation_ends_password_and_sign_ins(
    desk_clients: Any, operations: Operations, client: httpx2.AsyncClient
) -> None:
    pia = await desk_clients("pia")
    url = await reinvite(operations, "pia@acme.example")
    assert (await pia.get("/desk")).status_code == 303
    credentials = {"email": "pia@acme.example", "password": PASSWORD}
    assert (await client.post("/desk/sign-in", data=credentials)).status_code == 422
    assert (await client.post(url, data={"password": NEW_PASSWORD})).status_code == 303
    assert (await client.get("/desk")).status_code == 200


async def test_old_password_is_refused_after_disabling_and_adding_again(
    desk_clients: Any,
    organisation: Organisation,
    operations: Operations,
    client: httpx2.AsyncClient,
) -> None:
    pia = await desk_clients("pia")
    cookie = session_cookie(pia)
    await organisation.run_unbound(disable_staff, by=SYSTEM_ACTOR, email="pia@acme.example")
    assert await status_with(client, cookie) == 303
    await reinvite(operations, "pia@acme.example")
    credentials = {"email": "pia@acme.example", "password": PASSWORD}
    assert (await client.post("/desk/sign-in", data=credentials)).status_code == 422
    assert await status_with(client, cookie) == 303


async def test_new_password_ends_every_other_sign_in(
    desk_clients: Any, client: httpx2.AsyncClient, database: Database
) -> None:
    pia = await desk_clients("pia")
    cookie = session_cookie(pia)
    credentials = {"email": "pia@acme.example", "password": PASSWORD}
    await client.post("/desk/sign-in", data=credentials)
    answer = await press(
        pia,
        "/desk/account",
        "/desk/account/password",
        current_password=PASSWORD,
        password=NEW_PASSWORD,
    )
    assert answer.headers["Location"] == "/desk/account?done=password"
    assert "Your password is changed" in (await pia.get(answer.headers["Location"])).text
    assert (await client.get("/desk")).status_code == 303
    assert await status_with(client, cookie) == 303
    assert await end_reasons(database) == [SignInEnd.PASSWORD_CHANGED] * 2 + [None]


async def test_sign_in_ends_after_four_hours_without_use(desk_clients: Any, clock: Any) -> None:
    pia = await desk_clients("pia")
    clock.shift(timedelta(hours=3, minutes=59))
    assert (await pia.get("/desk")).status_code == 200
    clock.shift(timedelta(hours=3, minutes=59))
    assert (await pia.get("/desk")).status_code == 200
    clock.shift(timedelta(hours=4))
    assert (await pia.get("/desk")).status_code == 303


async def test_page_that_follows_by_itself_is_no_use(
    desk_clients: Any, clock: Any, card_request: ServiceRequest
) -> None:
    tess = await desk_clients("tess")
    page = await tess.page(card_request)
    presence = f"/desk/requests/{card_request.reference}/presence"
    form = {"form_token": hidden_fields(page, "/desk/sign-out")["form_token"]}
    clock.shift(timedelta(hours=2))
    following = {"HX-Request": "true", "HX-Trigger": "desk"}
    assert (await tess.get("/desk", headers=following)).status_code == 200
    assert (await tess.client.post(presence, data=form)).status_code == 200
    clock.shift(timedelta(hours=2))
    assert (await tess.get("/desk", headers=following)).status_code == 401


async def test_sign_in_ends_after_twelve_hours_in_use(desk_clients: Any, clock: Any) -> None:
    pia = await desk_clients("pia")
    for _ in range(3):
        clock.shift(timedelta(hours=3, minutes=59))
        assert (await pia.get("/desk")).status_code == 200
    clock.shift(timedelta(minutes=3))
    assert (await pia.get("/desk")).status_code == 303


async def test_use_is_written_once_in_five_minutes(
    desk_clients: Any, clock: Any, database: Database
) -> None:
    pia = await desk_clients("pia")

    async def last_seen() -> Any:
        async with database.reading() as session:
            return (await session.exec(select(StaffSignIn.last_seen_at))).one()

    begun = await last_seen()
    clock.shift(timedelta(minutes=4))
    await pia.get("/desk/keys")
    assert await last_seen() == begun
    clock.shift(timedelta(minutes=2))
    await pia.get("/desk/keys")
    assert await last_seen() == begun + timedelta(minutes=6)


async def test_database_has_no_token(desk_clients: Any, database: Database) -> None:
    pia = await desk_clients("pia")
    async with database.reading() as session:
        row = (await session.exec(select(StaffSignIn))).one()
    assert session_cookie(pia) not in repr(row)


async def test_stream_can_ask_whether_its_sign_in_still_holds(
    app: Starlette, desk_clients: Any
) -> None:
    pia = await desk_clients("pia")
    cookie = f"{SIGN_IN_COOKIE}={session_cookie(pia)}".encode()
    stream = HTTPConnection({"type": "http", "app": app, "headers": [(b"cookie", cookie)]})
    assert await is_still_signed_in(stream)
    await press(pia, "/desk", "/desk/sign-out")
    assert not await is_still_signed_in(stream)


async def test_password_that_changes_during_a_sign_in_ends_it(
    desk_clients: Any,
    operations: Operations,
    client: httpx2.AsyncClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The password was right when it was compared and is not any more when the row is written."""
    from portal.desk.auth import sign_in  # noqa: PLC0415 (changed here only)

    await desk_clients("pia")
    verify = sign_in.verify_password

    async def verify_slowly(password_hash: str | None, password: str) -> bool:
        is_valid = await verify(password_hash, password)
        await reinvite(operations, "pia@acme.example")
        return is_valid

    monkeypatch.setattr(sign_in, "verify_password", verify_slowly)
    credentials = {"email": "pia@acme.example", "password": PASSWORD}
    answer = await client.post("/desk/sign-in", data=credentials)
    assert answer.status_code == 422
    assert (await client.get("/desk")).status_code == 303
