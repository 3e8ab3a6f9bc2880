"""Calls made from the OpenAPI document by schemathesis, against the running product.

`bin/test` makes a few of each operation, `bin/test -m fuzz` many.
"""

import asyncio
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, assume, given
from hypothesis import settings as effort
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.generation import GenerationMode
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi import checks

from portal.business_time import now
from portal.demo.fake_providers import FakeProviders
from portal.models import SYSTEM_ACTOR, ApiKey
from tests.support.factories import SeedRows
from tests.support.running_stack import TOKEN, RunningStack

FEW = pytest.param(3, id="few")
MANY = pytest.param(25, id="many", marks=pytest.mark.fuzz)

PATIENCE = 60
"""Seconds until a call fails: the web process may just have started."""

MEANT = {
    "at",
    "by",
    "owner",
    "deputy",
    "customer.phone",
    "customer.email",
    "customer.timezone",
    "to",
}
MEANT |= {"expected_by", "until", "due_at", "from"}  # within ten years, and to come
MEANT |= {"workflow", "stage", "department", "third_party"}
MEANT |= {"customer.name", "event", "customer.locale", "fields"}  # printable; a length in all
MEANT |= {"time", "estimated_date"}  # within a year, within 90 days
MEANT |= {"code", "description"}  # one of them is needed
MEANT |= {"content"}  # a photo or a PDF, in base64
MEANT |= {"carrier", "number"}  # needed where the stage has none; with a letter or a digit
"""Fields whose value a schema cannot decide: whether a number, a zone or a person exists."""

KEY_USED_BEFORE = "This Idempotency-Key was sent before, with another call or body."

KNOWN = {"promise_id": 1, "message_id": 1, "attachment_id": 1, "ball_id": 1}
KNOWN |= {"email": "tess@acme.example"}
"""Path parameters of what exists, or might."""


@dataclass(frozen=True)
class Served:
    """The URL of the API, the headers of a key, and the reference of a request."""

    url: str
    key: dict[str, str]
    reference: str


@pytest.fixture(scope="module")
def served(
    migrated_file: Path, seed_rows: SeedRows, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """The product with one request."""
    folder = tmp_path_factory.mktemp("described")
    shutil.copyfile(migrated_file, folder / "kept.db")
    carrier = FakeProviders(auth_token=TOKEN)
    with RunningStack(f"sqlite+aiosqlite:///{folder / 'kept.db'}", folder, carrier) as stack:
        key, secret = ApiKey.make("schemathesis", now())

        async def fill() -> str:
            async with stack.organisation(seed_rows) as organisation:
                request = await organisation.open(by=SYSTEM_ACTOR)
                async with organisation.database.transaction() as session:
                    session.add(key)
                return request.reference

        reference = asyncio.run(fill())
        url = f"{stack.origin}/api/v1"
        yield Served(url, {"Authorization": f"Bearer {secret}"}, reference)


@pytest.mark.parametrize("examples", [FEW, MANY])
def test_every_operation_answers_as_described(served: Served, examples: int) -> None:
    """No server error; what the document allows is accepted, everything else is refused."""
    document = schemathesis.openapi.from_url(f"{served.url}/openapi.json", timeout=PATIENCE)
    document.config.generation.update(allow_x00=False)  # the document says so in its own words
    known = {"path_parameters": KNOWN | {"reference": served.reference}}
    ways: dict[str, dict[str, Any]] = {
        "allowed": {"generation_mode": GenerationMode.POSITIVE},
        "allowed, of what exists": {"generation_mode": GenerationMode.POSITIVE, **known},
        "not allowed": {"generation_mode": GenerationMode.NEGATIVE},
    }
    deviations: dict[str, str] = {}
    with requests.Session() as session:
        caller = {
            "base_url": served.url,
            "headers": served.key,
            "session": session,
            "timeout": PATIENCE,
        }
        for found in document.get_all_operations():
            operation = found.ok()
            for kind, how in ways.items():
                try:
                    run(operation, how, examples, caller)
                except (Failure, FailureGroup) as deviation:
                    deviations[f"{operation.label} ({kind})"] = told(deviation)
    assert not deviations, "\n\n".join(f"{at}: {what}" for at, what in deviations.items())


def told(deviation: BaseException) -> str:
    """What schemathesis says about it, with the call that shows it."""
    parts = getattr(deviation, "exceptions", [deviation])
    notes = getattr(deviation, "__notes__", [])
    return "\n".join([*(f"{type(part).__name__}: {part}" for part in parts), *notes])[:1500]


def run(
    operation: APIOperation, how: dict[str, Any], examples: int, caller: dict[str, Any]
) -> None:
    """Make calls of one operation and check each response."""

    @effort(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(**how))
    def call(case: schemathesis.Case) -> None:
        # An empty parameter counts as not given, which no JSON schema can say.
        assume(all(value not in ("", [], {}, None) for value in (case.query or {}).values()))
        response = case.call(**caller)
        is_no_file = response.status_code == 415
        meant = is_no_file or (response.status_code == 422 and is_meant(response.json()))
        excluded = [*KEYLESS, *([checks.positive_data_acceptance] if meant else [])]
        try:
            case.validate_response(response, headers=caller["headers"], excluded_checks=excluded)
        except (Failure, FailureGroup) as deviation:
            deviation.add_note(f"{case.as_curl_command()}\n{response.status_code} {response.text}")
            raise

    call()


def is_meant(problem: dict[str, Any]) -> bool:
    """True for a refusal that no schema can say: of each field named, or of a key used before."""
    fields = {error["field"].partition(".0")[0] for error in problem.get("errors", [])}
    return fields <= MEANT if fields else problem["detail"] == KEY_USED_BEFORE


KEYLESS = [checks.ignored_auth, checks.use_after_free, checks.ensure_resource_availability]
"""Checks that make further calls of their own; tests/api/test_problem_details.py covers keys."""
