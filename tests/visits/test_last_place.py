"""Two customers who take the last place at one moment, on both databases."""

import asyncio
from datetime import UTC, datetime

from tests.support.factories import ORIGIN
from tests.tracking.page_requests import link
from tests.visits.conftest import OTHER

FROM_PAGE = {"Origin": ORIGIN}
WED_10 = datetime(2025, 6, 4, 14, tzinfo=UTC)


def form(request, at):
    return {"follow_up": str(request.open_question.id), "answer": "yes", "at": at}


async def test_last_place_goes_to_one_of_two_at_once(line, asked, client, booked):
    """The other sees on the page what is free now."""
    gwen = await asked(OTHER)
    answers = await asyncio.gather(
        *(
            client.post(
                f"{link(each)}/answers", data=form(each, "2025-06-04T10:00"), headers=FROM_PAGE
            )
            for each in (line, gwen)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [303, 409]
    visits = [await booked(line), await booked(gwen)]
    assert [visit.answer_at for visit in visits if visit] == [WED_10]
    [refused] = [answer for answer in answers if answer.status_code == 409]
    assert "not free any more" in refused.text
    assert 'value="2025-06-04T10:00"' not in refused.text
    assert 'value="2025-06-04T12:00"' in refused.text
