"""Which request a message goes to, without a database."""

from datetime import timedelta
from types import SimpleNamespace

import pytest

from portal.operations.conversation.request_matching import Basis
from tests.operations.conversation.decisions import (
    ASKED,
    CARD,
    CLOSED,
    COMPLETED,
    FLOOD,
    NOW,
    REPAIR,
    decide_all,
    known,
)


def waiting(*texts, ago=timedelta(0)):
    return {
        "waiting": [SimpleNamespace(body=text, created_at=NOW - ago) for text in texts],
        "offered": [CARD, REPAIR],
    }


@pytest.mark.parametrize(
    ("body", "facts", "expected"),
    [
        ("2", waiting("hurry"), [(2, Basis.CHOSEN), (2, Basis.CHOICE)]),
        ("2", waiting("hurry", "7"), [(2, Basis.CHOSEN), (2, Basis.CHOICE), (2, Basis.CHOICE)]),
        (
            "both", waiting("hurry"),
            [(1, Basis.CHOSEN), (1, Basis.CHOICE), (2, Basis.CHOSEN), (2, Basis.CHOICE)],
        ),
        ("2", waiting("hurry", ago=timedelta(days=8)), [(2, Basis.CHOSEN), (2, Basis.CHOICE)]),
        ("I hurt my second toe", waiting("hurry", ago=timedelta(days=8)), [(2, Basis.AMBIGUOUS)]),
        ("9", waiting("hurry"), [(2, Basis.AMBIGUOUS)]),
        ("9", waiting("hurry") | {"exchanged": CARD}, [(1, Basis.AMBIGUOUS)]),
        ("what?", waiting("hurry", "hm"), [(2, Basis.FOR_PERSON)] * 3),
        ("what?", {"is_opted_out": True}, [(2, Basis.FOR_PERSON)]),
        ("any news of my card?", {}, [(1, Basis.NAMED)]),
        ("the card and the repair", {}, [(2, Basis.AMBIGUOUS)]),
        ("it does not work", {"spoken_of": CLOSED}, [(1, Basis.SPOKEN_OF)]),
        ("thanks!", {"exchanged": CARD}, [(1, Basis.SPOKEN_OF)]),
        ("🎉", {}, [(2, Basis.SPOKEN_OF)]),
        ("STOP", {}, [(None, Basis.CONSENT)]),
        ("CANCEL", {}, [(2, Basis.CONSENT)]),
        ("card", {"limits": FLOOD}, [(1, Basis.FLOOD)]),
        ("hurry", {"limits": FLOOD}, [(2, Basis.FLOOD)]),
    ],
)  # fmt: skip
def test_message_goes_to_the_request_it_names(body, facts, expected):
    deliveries = [delivery for delivery, _ in decide_all(body, known(CARD, REPAIR, **facts))]
    assert [(delivery.request_id, delivery.basis) for delivery in deliveries] == expected


def test_answer_goes_to_the_request_with_an_open_question():
    facts = known(CARD, replace_id(ASKED, 2))
    assert [(one.request_id, one.basis) for one, _ in decide_all("yes", facts)] == [
        (2, Basis.ANSWERS)
    ]


@pytest.mark.parametrize(
    ("body", "id_"),
    [
        ("Actually it does not work", 1),
        ("REOPEN", 1),
        ("where is it?", 2),
        ("the repair is late", 2),
    ],
)
def test_message_follows_on_the_request_closed_just_now(body, id_):
    facts = known(REPAIR, spoken_of=COMPLETED)
    assert [delivery.request_id for delivery, _ in decide_all(body, facts)] == [id_]


def replace_id(owner, id_):
    return SimpleNamespace(**{**vars(owner), "id": id_, "reference": f"CARD-AAAA-000{id_}"})


def test_only_the_last_of_several_staff_messages_gets_a_reply():
    facts = known(CARD, REPAIR, **waiting("hurry", "hm"))
    silent = [decision.outcome.is_silent for _, decision in decide_all("what?", facts)]
    assert silent == [True, True, False]
