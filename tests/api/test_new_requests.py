"""What other systems send of a customer: addresses as they were copied, names, locales, ids."""

from typing import Any

import httpx2
import pytest

from tests.support.factories import Organisation

pytestmark = pytest.mark.either_database

MARTIN = {"name": "Martin Miller", "phone": "+14155550132"}


async def post(
    api: httpx2.AsyncClient, customer: dict[str, Any], **more: Any
) -> tuple[int, dict[str, Any]]:
    body = {"workflow": "card", "customer": {"name": "Martin Miller", **customer}, **more}
    answer = await api.post("/requests", json=body)
    return answer.status_code, answer.json()


@pytest.mark.parametrize(
    "email",
    [
        "\u200bmartin@example.com",
        "martin@exam\u200bple.com",
        "\u202amartin@example.com\u202c",
        "martin@example.com\ufeff",
        "mar\u00adtin@example.com",
        "\u2066martin\u2060@example.com\u2069",
        " Martin@EXAMPLE.com\u00a0",
    ],
)
async def test_invisible_characters_leave_an_email_address(
    email: str, api: httpx2.AsyncClient, client: httpx2.AsyncClient, organisation: Organisation
) -> None:
    """When it is given, when it is looked up by the API, and when the customer types it."""
    status, request = await post(api, {"email": email})
    assert (status, request["customer"]["email"]) == (201, "martin@example.com")
    found = (await api.get("/requests", params={"q": email})).json()["items"]
    assert [item["reference"] for item in found] == [request["reference"]]
    count = len(await organisation.messages())
    form = {"reference": request["reference"], "contact": email}
    assert (await client.post("/", data=form)).status_code == 200
    assert [m.to_address for m in (await organisation.messages())[count:]] == ["martin@example.com"]


@pytest.mark.parametrize(
    "phone",
    [
        "\u202a+1 415 555 0132\u202c",
        "+1\u2011415\u2011555\u20110132",
        "+1\u200b415\u2060555\u00a00132",
        "\u2068+1\ufe0f\u20e34\ufe0f\u20e315 5550132\u2069",
        "\ufeff+1 (415)\u2009555\u20130132",
    ],
)
async def test_invisible_characters_leave_a_phone_number(
    phone: str, api: httpx2.AsyncClient, client: httpx2.AsyncClient, organisation: Organisation
) -> None:
    status, request = await post(api, {"phone": phone})
    assert (status, request["customer"]["phone"]) == (201, "+14155550132")
    count = len(await organisation.messages())
    form = {"reference": request["reference"], "contact": phone}
    assert (await client.post("/", data=form)).status_code == 200
    assert [m.to_address for m in (await organisation.messages())[count:]] == ["+14155550132"]


@pytest.mark.parametrize(
    "phone",
    ["+1 5550132", "+1 555-0132", "+44 1111", "+49 110", "+1 415 555 013", "+1 415 555 01322"],
)
async def test_number_without_its_area_code_or_a_digit_is_refused(
    phone: str, api: httpx2.AsyncClient, organisation: Organisation
) -> None:
    status, problem = await post(api, {"phone": phone})
    assert (status, problem["errors"][0]["field"]) == (422, "customer.phone")
    assert not await organisation.messages()


@pytest.mark.parametrize(
    "phone", ["+1 415 555 0132", "+1 212 555 0199", "+44 7700 900123", "+34 600 000 000"]
)
async def test_number_of_the_right_length_is_accepted(
    phone: str, api: httpx2.AsyncClient, organisation: Organisation
) -> None:
    """Also one of those that are set aside for examples."""
    status, request = await post(api, {"phone": phone})
    assert (status, request["customer"]["phone"]) == (201, phone.replace(" ", ""))


@pytest.mark.parametrize(
    ("phone", "kept"),
    [
        ("+52 1 55 1234 5678", "+525512345678"),
        ("+525512345678", "+525512345678"),
        ("+54 11 2345 6789", "+5491123456789"),
        ("+55 11 8765 4321", "+5511987654321"),
    ],
)
async def test_number_with_two_spellings_is_kept_in_one(
    phone: str, kept: str, api: httpx2.AsyncClient, organisation: Organisation
) -> None:
    for spelling in (phone, kept):
        status, request = await post(api, {"phone": spelling})
        assert (status, request["customer"]["phone"]) == (201, kept)


@pytest.mark.parametrize(
    ("email", "kept"),
    [
        ("ahmed@xn--mgbab2bd.xn--mgbaam7a8h", "ahmed@xn--mgbab2bd.xn--mgbaam7a8h"),
        ("ivan@россия.рф", "ivan@xn--h1alffa9f.xn--p1ai"),
        ("info@BÜCHER.example", "info@xn--bcher-kva.example"),
        ("martin@mail.xn--p1ai", "martin@mail.xn--p1ai"),
    ],
)
async def test_domain_in_any_script_is_kept_as_mail_servers_know_it(
    email: str, kept: str, api: httpx2.AsyncClient, client: httpx2.AsyncClient,
    organisation: Organisation,
) -> None:  # fmt: skip
    status, request = await post(api, {"email": email})
    assert (status, request["customer"]["email"]) == (201, kept)
    for contact in (email, kept):
        form = {"reference": request["reference"], "contact": contact}
        assert (await client.post("/", data=form)).status_code == 200
    assert {message.to_address for message in await organisation.messages()} == {kept}


@pytest.mark.parametrize(
    "email",
    ["josé@example.com", "иван@россия.рф", "martin@-example.com", "m@exa mple.com", "m@x.1"],
)
async def test_address_that_mail_does_not_reach_is_refused(
    email: str, api: httpx2.AsyncClient, organisation: Organisation
) -> None:
    status, problem = await post(api, {"email": email})
    assert (status, problem["errors"][0]["field"]) == (422, "customer.email")
    assert "like martin@example.com." in problem["detail"]


async def test_external_id_is_one_with_space_around_it(
    api: httpx2.AsyncClient, organisation: Organisation
) -> None:
    status, request = await post(api, MARTIN, external_id=" ORDER-1\t")
    assert (status, request["external_id"]) == (201, "ORDER-1")
    for again in ("ORDER-1", "ORDER-1 ", "\u200bORDER-1\u00a0"):
        assert (await post(api, MARTIN, external_id=again))[0] == 409
    found = (await api.get("/requests", params={"q": " ORDER-1 "})).json()["items"]
    assert [item["reference"] for item in found] == [request["reference"]]


@pytest.mark.parametrize("blank", ["", " ", "\t\n", "\u00a0", "\u200b", "\x00"])
async def test_blank_external_id_is_refused(
    blank: str, api: httpx2.AsyncClient, organisation: Organisation
) -> None:
    status, problem = await post(api, MARTIN, external_id=blank)
    assert (status, problem["errors"][0]["field"]) == (422, "external_id")
    assert not await organisation.messages()


@pytest.mark.parametrize("locale", ["english", "xx", "und", "e", "es-", "-", "español", "12"])
async def test_locale_that_is_no_language_is_refused(
    locale: str, api: httpx2.AsyncClient, organisation: Organisation
) -> None:
    status, problem = await post(api, MARTIN | {"locale": locale})
    assert (status, problem["errors"][0]["field"]) == (422, "customer.locale")
    assert not await organisation.messages()


@pytest.mark.parametrize("locale", ["es-MX", "ar_EG", "ht", "zh-Hans-CN", "iw", "es-419", "FR"])
async def test_locale_of_a_language_is_kept(
    locale: str, api: httpx2.AsyncClient, organisation: Organisation
) -> None:
    """Also of one that we do not write: the customer reads English until we do."""
    status, request = await post(api, MARTIN | {"locale": locale})
    assert (status, request["customer"]["locale"]) == (201, locale)
