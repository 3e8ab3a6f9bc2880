"""A duration of a workflow, in JSON as in a file."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import BeforeValidator, PlainSerializer

from portal.business_time import Duration

ZERO_DURATION: Final = Duration(0, "s")


def _duration(value: object) -> Duration:
    return value if isinstance(value, Duration) else Duration.parse(str(value))


JsonDuration = Annotated[Duration, BeforeValidator(_duration), PlainSerializer(str)]
"""A Duration, in JSON as in a file: "4bh"."""
