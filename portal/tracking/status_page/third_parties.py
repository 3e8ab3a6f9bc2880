"""Presents what third parties report of the stages that they do for us."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from portal.carriers import Carriers
from portal.i18n.languages import language_of
from portal.messaging.wording.third_parties import CODE_WORDS, report_text, reported_at
from portal.models import ThirdPartyCode
from portal.queries.status_page.rows import RunRow, StatusPageRow
from portal.tracking.status_page.timeline_view import LastReport, ThirdPartyUpdate
from portal.workflows import WorkflowDefinition


@dataclass(frozen=True)
class ThirdPartyPresenter:
    """Presents the reports of one request's third parties to its customer."""

    snapshot: StatusPageRow
    definition: WorkflowDefinition
    carriers: Carriers

    def update(self, run: RunRow) -> ThirdPartyUpdate | None:
        """Their latest update of a run that is open, by the time when it was said."""
        data = max(self._reports(run), key=reported_at, default=None)
        if data is None or run.completed_at is not None:
            return None
        number = data["tracking_number"] or ""
        return ThirdPartyUpdate(
            by=data["from"],
            text=report_text(data, language_of(self.snapshot.locale)),
            at=reported_at(data),
            number=number,
            url=self._url(run, data),
            own_words=data["words"],
        )

    def last_report(self, run: RunRow) -> LastReport | None:
        """How far the run is by its code; None where they have reported none that we know."""
        if run.third_party_code is None or run.third_party_code_at is None:
            return None
        code, at = ThirdPartyCode(run.third_party_code), run.third_party_code_at
        places = (
            data.get("place", "")
            for data in self._reports(run)
            if data.get("code") == code and reported_at(data) == at
        )
        return LastReport(
            CODE_WORDS[code],
            at,
            next(places, ""),
            is_problem=code.is_problem,
            is_pickup=code == ThirdPartyCode.AVAILABLE_FOR_PICKUP,
        )

    def parcel_links(self) -> dict[str, str]:
        """The carriers' pages of all tracking numbers that were reported, by number."""
        links = {
            data["tracking_number"]: self._url(run, data)
            for run in self.snapshot.runs
            for data in self._reports(run)
        }
        return {number: url for number, url in links.items() if url}

    def _url(self, run: RunRow, data: dict[str, Any]) -> str:
        template = self.definition.stage(run.stage_key).tracking_url
        return self.carriers.tracking_url(data["from"], data["tracking_number"] or "", template)

    def _reports(self, run: RunRow) -> Sequence[dict[str, Any]]:
        return self._reports_by_run.get(run.id, ())

    @cached_property
    def _reports_by_run(self) -> dict[int, list[dict[str, Any]]]:
        reports: dict[int, list[dict[str, Any]]] = {}
        for row in self.snapshot.third_party_updates:
            reports.setdefault(row.run_id, []).append(json.loads(row.data))
        return reports
