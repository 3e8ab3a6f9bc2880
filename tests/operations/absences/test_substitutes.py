"""Who replaces an absent person, by the roster alone."""

from datetime import UTC, datetime, timedelta

import pytest

from portal.models import Department, Role, StaffMember
from portal.rules.roster import Roster

pytestmark = pytest.mark.either_database


NOW = datetime(2025, 6, 3, 14, tzinfo=UTC)


def roster(*people, lead=None, members=()):
    return Roster(
        departments={"press": Department(id=1, key="press", name="Press")},
        staff={person.id: person for person in people},
        members={1: list(members)},
        leads={1: lead} if lead else {},
        now=NOW,
    )


def person(number, role=Role.AGENT, *, away=False, deputy=None):
    return StaffMember(
        id=number, email=f"{number}@x.example", name=f"P{number}", role=role, deputy_id=deputy,
        absent_from=NOW - timedelta(days=1) if away else None,
    )  # fmt: skip


def taker(organisation, named=None):
    return organisation.assignee(
        organisation.department("press"), organisation.person(named) if named else None
    )


def test_substitute_order_is_deputy_lead_colleagues():
    away, lead, other = person(1, away=True, deputy=3), person(2), person(3)
    organisation = roster(away, lead, other, members=[1, 2, 3], lead=2)
    assert taker(organisation, named=1) == 3
    away.deputy_id = None
    assert taker(organisation, named=1) == 2


def test_absent_lead_is_replaced_by_deputy_then_colleagues():
    lead, deputy, other = person(1, away=True, deputy=9), person(9), person(2)
    organisation = roster(lead, deputy, other, members=[1, 2], lead=1)
    assert taker(organisation) == 9
    deputy.absent_from = NOW
    assert taker(organisation) == 2


def test_deputies_are_followed_in_turn_and_circles_end():
    people = person(1, away=True, deputy=2), person(2, away=True, deputy=3), person(3)
    assert roster(*people).find_deputy(1) == 3
    people[1].deputy_id = 1
    assert roster(*people).find_deputy(1) is None
    people[0].deputy_id = 1
    assert roster(*people).find_deputy(1) is None


def test_work_stays_with_its_owner_while_everybody_is_away():
    people = person(1, away=True), person(2, away=True), person(7, Role.MANAGER, away=True)
    organisation = roster(*people, members=[1, 2], lead=1)
    assert organisation.substitute_or_self(2, 1) == 2
    assert taker(organisation) == 1
    people[2].absent_from = None
    assert (
        organisation.substitute_or_self(2, 1)
        == taker(organisation)
        == organisation.default_manager()
        == 7
    )
