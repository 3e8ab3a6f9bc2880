"""Tracking numbers are links to the page of their carrier."""

import re
from urllib.parse import urlsplit

import pytest

from portal.carriers import is_url_template, shipped_carriers
from portal.models import SYSTEM_ACTOR
from portal.operations import record_third_party_update, write_to_customer
from portal.settings import Settings, SettingsError
from portal.workflows import WorkflowFileError, read_workflow
from tests.operations.third_parties.conftest import PARCEL

pytestmark = pytest.mark.either_database

LINK = re.compile(
    r'<a href="(?P<url>[^"]*)" rel="(?P<rel>[^"]*)" referrerpolicy="(?P<policy>[^"]*)">'
)


def test_each_shipped_carrier_has_one_https_page_and_names_of_its_own():
    carriers = shipped_carriers()
    names = [
        carriers.find(name) for each in carriers.carriers for name in (each.name, *each.aliases)
    ]
    assert len({id(carrier) for carrier in names}) == len(carriers.carriers)
    for carrier in carriers.carriers:
        url = urlsplit(carrier.tracking_url("JD 0/1?&#"))
        assert (url.scheme, "@" in url.netloc) == ("https", False), carrier.name
        assert "JD0%2F1%3F%26%23" in url.geturl(), carrier.name


@pytest.mark.parametrize("name", ["dhl", "DHL Express", "dhl-express", "DHLEXPRESS"])
def test_carrier_is_found_by_each_of_its_names(name):
    assert shipped_carriers().name_of(name) == "DHL"


async def test_page_and_desk_link_the_number_without_a_referrer(
    client, desk_clients, report, parcel
):
    await report(number="JD 014/<x>", code="in_transit")
    page = (await client.get(f"/r/{parcel.live_link.token}")).text
    found = LINK.search(page)
    assert found["url"].endswith("tracking-id=JD014%2F%3Cx%3E")
    assert (found["rel"], found["policy"]) == ("noopener noreferrer nofollow", "no-referrer")
    assert ">JD 014/&lt;x&gt;</a>" in page
    desk = await (await desk_clients("mona")).page(parcel)
    assert LINK.search(desk)["url"] == found["url"]


async def test_number_of_an_unknown_carrier_is_no_link(client, organisation, parcel):
    await organisation.run(
        record_third_party_update, parcel, words="In the van", third_party="Vans",
        tracking_number="V1", by=SYSTEM_ACTOR,
    )  # fmt: skip
    page = (await client.get(f"/r/{parcel.live_link.token}")).text
    assert "number V1" in page
    assert not LINK.search(page)


async def test_stage_may_have_a_tracking_page_of_its_own(clock, client, organisation):
    line = 'third_party = "DHL"\ntracking_url = "https://own.example/p/{number}?x=1"'
    await organisation.load(PARCEL.replace('third_party = "DHL"', line))
    request = await organisation.open("parcel", by=SYSTEM_ACTOR)
    await organisation.run(
        record_third_party_update, request, words="In the van", tracking_number="V 1",
        by=SYSTEM_ACTOR,
    )  # fmt: skip
    page = (await client.get(f"/r/{request.live_link.token}")).text
    assert LINK.search(page)["url"] == "https://own.example/p/V1?x=1"


def test_carriers_of_a_setting_are_added_and_come_first(tmp_path):
    file = tmp_path / "carriers.toml"
    file.write_text(
        '[[carriers]]\nname = "DHL"\nurl = "https://dhl.example/{number}"\n'
        '[[carriers]]\nname = "Vans"\naliases = ["acme-vans"]\nurl = "https://v.example/{number}"\n'
    )
    carriers = Settings.load(data_dir=tmp_path, carriers=str(file)).all_carriers
    assert carriers.tracking_url("dhl", "1") == "https://dhl.example/1"
    assert carriers.tracking_url("Acme Vans", "1") == "https://v.example/1"
    assert carriers.tracking_url("UPS", "1")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("carriers = 5", "tables"),
        ("[[carriers]]\nname = 5\nurl = 'https://a.example/{number}'", "without a name"),
        ("[[carriers]]\nname = 'A'\nurl = 'http://a.example/{number}'", "without a usable url"),
        ("[[carriers]]\nname = 'A'\nurl = 'https://a.example/'", "without a usable url"),
        ("[[carriers]]\nname = 'A'\nlink = 'x'\nurl = 'https://a.example/{number}'", "other keys"),
        ("[[carriers", "TOML"),
    ],
)
def test_unusable_file_of_carriers_stops_the_start_with_the_reason(tmp_path, text, why):
    file = tmp_path / "carriers.toml"
    file.write_text(text)
    with pytest.raises(SettingsError, match=why) as refusal:
        Settings.load(data_dir=tmp_path, carriers=str(file))
    assert "KEPT_CARRIERS" in str(refusal.value)


def test_missing_file_of_carriers_stops_the_start(tmp_path):
    with pytest.raises(SettingsError, match="KEPT_CARRIERS must name a file that we may read"):
        Settings.load(data_dir=tmp_path, carriers=str(tmp_path / "none"))


@pytest.mark.parametrize(
    "template",
    [
        "javascript:alert({number})", "http://a.example/{number}", "https://{number}.example/",
        "https://a@b.example/{number}", "https://a.example/", "https:///{number}", "https://a b/{number}",
        "https://a.example/{number}{x}", "https://[/{number}", "https://ä.example/{number}",
    ],
)  # fmt: skip
def test_address_that_is_no_tracking_page_is_refused(template):
    assert not is_url_template(template)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('tracking_url = "http://a.example/{number}"', 'has no usable "tracking_url"'),
        ("tracking_url = 5", "should be text"),
        ('delivered = "maybe"', 'has "maybe" as "delivered"'),
        ("delivered = true", "should be text"),
    ],
)
def test_unusable_key_of_a_third_party_is_reported_with_line_and_remedy(line, why):
    text = PARCEL.replace('silent_after = "2d"', line)
    with pytest.raises(WorkflowFileError, match=why) as refusal:
        read_workflow(text)
    number = text[: text.index(line)].count("\n") + 1
    assert f"workflow file:{number}: stage" in str(refusal.value)


async def test_number_in_the_conversation_is_a_link_and_the_rest_stays_text(
    client, organisation, report, parcel
):
    await report(number="JD0146", code="in_transit")
    body = "<b>It</b> is JD0146, not JD01467 & not XJD0146. JD0146?"
    await organisation.run(write_to_customer, parcel, body=body, by=organisation.people.mona.actor)
    page = (await client.get(f"/r/{parcel.live_link.token}")).text
    talk = page.split('<ol class="lines">')[1].split("</ol>")[0]
    assert len(LINK.findall(talk)) == 2
    assert "&lt;b&gt;It&lt;/b&gt; is <a " in talk
    assert "</a>, not JD01467 &amp; not XJD0146. <a " in talk
