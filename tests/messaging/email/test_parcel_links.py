"""Mail about the progress of a parcel links its tracking number."""

from datetime import date

from portal.models import SYSTEM_ACTOR, Channel, MessageKind
from portal.operations import ThirdPartyReport, record_third_party_event, set_preferences
from tests.messaging.email.mail_server import MailServer
from tests.operations.third_parties.conftest import PARCEL
from tests.support.factories import Organisation

URL = "https://www.dhl.com/global-en/home/tracking.html?tracking-id=JD0146"


async def test_mail_of_a_delay_has_the_page_of_the_carrier_in_both_parts(
    clock, server: MailServer, organisation: Organisation
) -> None:
    await organisation.load(PARCEL)
    mona = organisation.people.mona.actor
    request = await organisation.open("parcel", by=SYSTEM_ACTOR)
    await organisation.run(set_preferences, request, preferred_channel=Channel.EMAIL, by=mona)
    report = ThirdPartyReport(number="JD0146", description="Late", estimated=date(2025, 6, 9))
    await organisation.run(record_third_party_event, request, report, by=mona)
    [message] = [
        each for each in await organisation.outbound_messages(request)
        if each.kind == MessageKind.DELAY
    ]  # fmt: skip
    assert message.channel == Channel.EMAIL
    mail = (await server.deliver())[-1]
    assert f"DHL, number JD0146: {URL}" in mail.text
    assert f'href="{URL}" rel="noopener noreferrer nofollow"' in mail.html
