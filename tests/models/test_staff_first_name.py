"""The name by which customers know a member of staff."""

import pytest

from portal.models.people.given_name import staff_first_name


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Carl Courier", "Carl"),
        ("Carl", "Carl"),
        ("Courier, Carl", "Carl"),
        ("Dr. Helen Marsh", "Helen"),
        ("Dr. Marsh", "Dr. Marsh"),
        ("María José Ruiz", "María José"),
        ("عبد الرحمن الخطيب", "عبد الرحمن"),
        ("Nguyen Van An", "Nguyen"),
        ("  ", ""),
    ],
)
def test_a_member_of_staff_is_known_by_the_first_name(name: str, shown: str) -> None:
    assert staff_first_name(name) == shown
