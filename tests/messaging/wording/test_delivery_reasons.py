"""The sentences of delivery reasons."""

import pytest

from portal.messaging.wording.delivery_reasons import (
    REASON_PHRASES,
    message_reason,
    reason_phrase,
    reason_sentence,
)
from portal.models import Channel, DeliveryReason, Message, MessageKind


@pytest.mark.parametrize("reason", DeliveryReason)
def test_each_reason_has_a_phrase_and_a_sentence(reason):
    phrase = reason_phrase(reason, count=3)
    assert phrase[0].islower() or phrase.startswith(("Twilio", "WhatsApp"))
    assert not phrase.endswith(".")
    sentence = reason_sentence(reason, count=3)
    assert sentence[0].isupper()
    assert sentence.endswith(".")
    assert "{" not in sentence


def test_parameters_are_put_into_the_sentence():
    assert reason_sentence(DeliveryReason.NUMBER_LIMIT, count=20) == (
        "This number has had 20 texts in a day; more wait."
    )
    mail = Message(
        channel=Channel.EMAIL, kind=MessageKind.CUSTOMER, cause="x", from_address="",
        reason=DeliveryReason.FOREIGN_SENDER, is_shortened=True,
    )  # fmt: skip
    assert message_reason(mail) == (
        "Sent from nobody, which is not an address of theirs. It was longer than this."
    )


def test_every_phrase_belongs_to_a_reason():
    assert list(REASON_PHRASES) == list(DeliveryReason)
