"""A person's own page, the record of accounts, and the mail about them."""

import re
from typing import Any

import httpx2
import pytest
from sqlmodel import col, select

from portal.business_time import now
from portal.database import Database
from portal.models import (
    SYSTEM_ACTOR,
    AccountEvent,
    AccountEventKind,
    Message,
    SignInEnd,
    StaffSignIn,
)
from portal.operations import Operations, add_staff, disable_staff
from portal.queries.sign_ins import MAX_LISTED
from tests.desk.auth.test_sign_in_ends import press
from tests.support.desk_client import PASSWORD, visible_text
from tests.support.factories import Organisation

pytestmark = pytest.mark.either_database

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0"
NEW_PASSWORD = "three unrelated words"
PAGE, CHANGE = "/desk/account", "/desk/account/password"


async def kinds(database: Database) -> list[str]:
    async with database.reading() as session:
        query = select(AccountEvent.kind).order_by(col(AccountEvent.id))
        return [kind.value for kind in (await session.exec(query)).all()]


async def test_person_sees_their_sign_ins_and_which_is_this_one(
    desk_clients: Any, client: httpx2.AsyncClient
) -> None:
    pia = await desk_clients("pia")
    credentials = {"email": "pia@acme.example", "password": PASSWORD}
    await client.post("/desk/sign-in", data=credentials, headers={"User-Agent": FIREFOX})
    page = visible_text((await pia.get(PAGE)).text)
    assert "Firefox on Windows 127.0.0.0/24, since" in page
    assert page.count("this browser") == 1
    assert "127.0.0.1" not in page


async def test_sign_in_that_lasts_is_listed_behind_many_that_have_ended(
    desk_clients: Any, database: Database, organisation: Organisation
) -> None:
    pia = await desk_clients("pia")
    at = now()
    async with database.transaction() as session:
        for number in range(MAX_LISTED):
            session.add(
                StaffSignIn(
                    staff_id=organisation.people.pia.id,
                    token_hash=f"hash {number}",
                    created_at=at,
                    last_seen_at=at,
                    ended_at=at,
                    end_reason=SignInEnd.SIGNED_OUT,
                )
            )
    assert "this browser" in visible_text((await pia.get(PAGE)).text)


async def test_wrong_current_password_changes_nothing(
    desk_clients: Any, database: Database
) -> None:
    pia = await desk_clients("pia")
    answer = await press(pia, PAGE, CHANGE, current_password="not this one", password=NEW_PASSWORD)
    assert answer.status_code == 422
    assert "That is not your current password." in answer.text
    assert NEW_PASSWORD not in answer.text
    assert (await kinds(database))[-1] == "password_refused"
    credentials = {"email": "pia@acme.example", "password": PASSWORD}
    assert (await pia.client.post("/desk/sign-in", data=credentials)).status_code == 303


async def test_wrong_current_passwords_are_limited(desk_clients: Any) -> None:
    pia = await desk_clients("pia")
    statuses = [
        (
            await press(pia, PAGE, CHANGE, current_password="guess", password=NEW_PASSWORD)
        ).status_code
        for _ in range(11)
    ]
    assert statuses == [422] * 10 + [429]


@pytest.mark.parametrize(
    ("password", "sentence"),
    [
        ("elevenchars", "at least 12 characters"),
        ("password1234", "passwords that people try first"),
        ("P@ssw0rd-2026!", "passwords that people try first"),
        ("qwertyuiop12", "passwords that people try first"),
        ("asdfghjklqwe", "a row of keys"),
        ("abcabcabcabc", "repeats itself"),
        ("!?!?!?!?!?!?", "repeats itself"),
        ("!@#$%^&*()_+", "a row of keys"),
        ("pia&$%#=!?;", "at least 12 characters"),
        ("abababab!?#$%", "repeats itself"),
        ("Password!?#$%", "passwords that people try first"),
        ("Pia@acme.example", "has nothing to do with them|have nothing to do with them"),
        ("Acme Bank 2026", "have nothing to do with them"),
        (PASSWORD, "the password you have"),
    ],
)
async def test_weak_password_is_refused_with_a_sentence(
    desk_clients: Any, password: str, sentence: str
) -> None:
    pia = await desk_clients("pia")
    answer = await press(pia, PAGE, CHANGE, current_password=PASSWORD, password=password)
    assert answer.status_code == 422
    assert re.search(sentence, visible_text(answer.text))
    assert (await pia.get("/desk")).status_code == 200


@pytest.mark.parametrize("password", ["}?#~/^[&%|=;", "🐙🌵🎻🧭🪁🥨🛶🪐🦉🧀🎲🚲", "ab}?#~/^[&%|"])
async def test_password_of_different_signs_is_accepted(desk_clients: Any, password: str) -> None:
    pia = await desk_clients("pia")
    answer = await press(pia, PAGE, CHANGE, current_password=PASSWORD, password=password)
    assert answer.status_code == 303


async def test_common_password_is_refused_at_an_invitation(
    operations: Operations, organisation: Organisation, client: httpx2.AsyncClient
) -> None:
    async with operations.begin(SYSTEM_ACTOR) as uow:
        _, secret = await add_staff(uow, email="new@acme.example", name="Nell Newcomer")
    url = f"/desk/invitations/{secret}"
    for password in ("password1234", "NellNewcomer1"):
        answer = await client.post(url, data={"password": password})
        assert answer.status_code == 422
        assert "Please choose" in answer.text
    assert (await client.post(url, data={"password": NEW_PASSWORD})).status_code == 303


async def test_record_has_sign_ins_failures_ends_and_changes(
    desk_clients: Any,
    client: httpx2.AsyncClient,
    database: Database,
    organisation: Organisation,
) -> None:
    pia = await desk_clients("pia")
    credentials = {"email": "pia@acme.example", "password": "not this one"}
    await client.post("/desk/sign-in", data=credentials)
    await press(pia, PAGE, CHANGE, current_password=PASSWORD, password=NEW_PASSWORD)
    await press(pia, "/desk", "/desk/sign-out")
    await organisation.run_unbound(disable_staff, by=SYSTEM_ACTOR, email="pia@acme.example")
    assert await kinds(database) == [
        AccountEventKind.SIGNED_IN,
        AccountEventKind.SIGN_IN_FAILED,
        AccountEventKind.PASSWORD_CHANGED,
        AccountEventKind.SIGN_IN_ENDED,
        AccountEventKind.SIGNED_IN,
        AccountEventKind.SIGN_IN_ENDED,
        AccountEventKind.DISABLED,
    ]


async def test_refusals_by_the_limit_are_recorded_once_a_minute(
    desk_clients: Any, client: httpx2.AsyncClient, database: Database
) -> None:
    await desk_clients("pia")
    credentials = {"email": "pia@acme.example", "password": "not this one"}
    for _ in range(14):
        await client.post("/desk/sign-in", data=credentials)
    assert (await kinds(database)).count("sign_in_limited") == 1
    assert (await kinds(database)).count("sign_in_failed") == 10


async def test_log_names_nobody(
    desk_clients: Any, client: httpx2.AsyncClient, capsys: pytest.CaptureFixture[str]
) -> None:
    await desk_clients("pia")
    for email in ("pia@acme.example", "nobody@acme.example"):
        await client.post("/desk/sign-in", data={"email": email, "password": "not this one"})
    written = "".join(capsys.readouterr())
    assert "sign_in_failed" in written
    assert "acme.example" not in written
    assert "not this one" not in written
    assert "127.0.0.1" not in written


async def test_admin_sees_the_record_of_a_colleague_and_others_do_not(
    desk_clients: Any, organisation: Organisation
) -> None:
    people = organisation.people
    pia = await desk_clients("pia")
    ada, mona = await desk_clients("ada"), await desk_clients("mona")
    url = f"/desk/people?person={people.pia.id}"
    page = visible_text((await ada.get(url)).text)
    assert "Sign-ins of" in page
    assert "Signed in" in page
    for reader in (mona, pia):
        assert "Sign-ins of" not in (await reader.get(url)).text


@pytest.fixture
def mailed(settings: Any) -> Any:
    """With a mail server set; nothing is sent."""
    return settings.model_copy(
        update={"smtp_url": "smtp://127.0.0.1:9", "mail_from": "kept@acme.example"}
    )


async def test_new_browser_and_new_password_are_mailed_and_a_known_browser_is_not(
    app: Any, desk_clients: Any, client: httpx2.AsyncClient, database: Database, mailed: Any
) -> None:
    await desk_clients("pia")
    app.state.operations.settings = mailed
    credentials = {"email": "pia@acme.example", "password": PASSWORD}
    for _ in range(2):
        answer = await client.post(
            "/desk/sign-in", data=credentials, headers={"User-Agent": FIREFOX}
        )
        assert answer.status_code == 303
    page = (await client.get(PAGE)).text
    token = re.search(r'name="form_token" value="(\w+)"', page)
    assert token
    change = {
        "form_token": token[1],
        "current_password": PASSWORD,
        "password": NEW_PASSWORD,
    }
    assert (await client.post(CHANGE, data=change)).status_code == 303
    async with database.reading() as session:
        letters = (await session.exec(select(Message).order_by(col(Message.id)))).all()
    assert [letter.subject for letter in letters] == [
        "New sign-in at the Acme Bank desk",
        "Your password at the Acme Bank desk was changed",
    ]
    assert {letter.to_address for letter in letters} == {"pia@acme.example"}
    assert "Firefox on Windows" in letters[0].body
