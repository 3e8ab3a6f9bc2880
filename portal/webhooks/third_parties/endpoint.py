"""Receives a provider's call about a tracking number, and records it on each request that has it."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import structlog
from prometheus_client import Counter
from pydantic import SecretStr
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from portal import business_time
from portal.carriers import tracking_key
from portal.errors import NotAllowed, NotFound, PortalError
from portal.models import Actor, ActorKind
from portal.operations import ThirdPartyReport, UnitOfWork
from portal.operations.third_parties.by_number import (
    ENDED_WITHIN,
    MAX_REQUESTS,
    record_report_of_provider,
)
from portal.queries.requests import find_references_by_tracking_key
from portal.settings import Settings
from portal.webhooks.run_once import run_once
from portal.webhooks.third_parties.aftership import read_aftership
from portal.webhooks.third_parties.documents import read_document
from portal.webhooks.third_parties.easypost import read_easypost
from portal.webhooks.third_parties.generic import read_generic
from portal.webhooks.third_parties.signatures import (
    find_signed_at,
    is_signed_by_aftership,
    is_signed_by_easypost,
    is_signed_generic,
)

log = structlog.get_logger()

MAX_BODY_BYTES = 500_000
"""Bytes; a parcel with a hundred checkpoints needs a tenth."""
CALLS = Counter(
    "kept_third_party_calls",
    "Calls about third parties, by provider and what became of them: recorded, repeated, refused, "
    "unknown (no request has the number) or empty (no news).",
    ["provider", "outcome"],
)


@dataclass(frozen=True)
class Provider:
    """One provider: its name, its secrets in the settings, its signature, and how it is read.

    ``signs_time``: the time of the call is signed too. Of the others a header that names a time is
    anybody's, and is ignored.
    """

    name: str
    key: str
    secrets: Callable[[Settings], Sequence[SecretStr]]
    is_signed: Callable[[Sequence[str], bytes, Headers, datetime], bool]
    read: Callable[[dict[str, Any]], ThirdPartyReport | None]
    signs_time: bool = False

    @property
    def route(self) -> Route:
        """Its route below ``/hooks``."""
        path = f"/third-party/{self.key}"
        return Route(path, self.receive, methods=["POST"], max_body_size=MAX_BODY_BYTES)

    async def receive(self, request: Request) -> Response:
        """Record the call on each request with its number, each in its own transaction.

        The answer is 204 too where nothing has the number, or the call is no news: the provider
        would only repeat it. Raises NotFound without a secret, NotAllowed for a wrong signature,
        BadInput for what cannot be read.
        """
        secrets = [secret.get_secret_value() for secret in self.secrets(request.app.state.settings)]
        if not secrets:
            raise NotFound("There is nothing at this address.")
        body = await request.body()
        if not self.is_signed(secrets, body, request.headers, business_time.now()):
            raise NotAllowed(f"This call is not signed by {self.name}.")
        report = self.read(read_document(body))
        signed_at = find_signed_at(request.headers) if self.signs_time else None
        if report is not None and report.at is None and signed_at is not None:
            report = replace(report, at=datetime.fromtimestamp(signed_at, UTC))
        if report is not None:
            report = replace(report, call_id=hashlib.sha256(body).hexdigest())
        if report is None or not tracking_key(report.number):
            self._count("empty")
        else:
            await self._record(request, report)
        return Response(status_code=204)

    async def _record(self, request: Request, report: ThirdPartyReport) -> None:
        state = request.app.state
        async with state.database.reading() as session:
            references = await find_references_by_tracking_key(
                session,
                tracking_key(report.number),
                business_time.now() - ENDED_WITHIN,
                MAX_REQUESTS,
            )
        if not references:
            self._count("unknown")
        actor = Actor(ActorKind.API, self.name)
        for reference in references:
            outcomes: list[str] = []
            handler = partial(_record_one, reference=reference, report=report, outcomes=outcomes)
            try:
                await run_once(state.operations, handler, actor)
            except PortalError as refusal:
                if refusal.status >= 500:
                    raise  # The provider calls again.
                log.warning(
                    "report refused", provider=self.key, reference=reference, why=refusal.detail
                )
                outcomes = ["refused"]
            self._count(outcomes[-1])

    def _count(self, outcome: str) -> None:
        CALLS.labels(self.key, outcome).inc()


async def _record_one(
    uow: UnitOfWork, *, reference: str, report: ThirdPartyReport, outcomes: list[str]
) -> None:
    is_new = await record_report_of_provider(uow, reference, report)
    outcomes.append("recorded" if is_new else "repeated")


PROVIDERS = (
    Provider(
        "AfterShip", "aftership", lambda settings: settings.aftership_secrets,
        is_signed_by_aftership, read_aftership,
    ),
    Provider(
        "EasyPost", "easypost", lambda settings: settings.easypost_secrets,
        is_signed_by_easypost, read_easypost,
    ),
    Provider(
        "Third party", "generic", lambda settings: settings.third_party_secrets,
        is_signed_generic, read_generic, signs_time=True,
    ),
)  # fmt: skip

routes = [provider.route for provider in PROVIDERS]
