"""Validation of a workflow file as a whole: its parts, and whether they are consistent."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Final

from portal.business_time import OpeningHours, check_holidays, zone_names
from portal.workflows.cancellation import CANCELLATION_KEY, COLLECTION_KEY, read_stage_key
from portal.workflows.customer_turn import CUSTOMER_TURN_KEYS, read_customer_turn
from portal.workflows.issues import did_you_mean
from portal.workflows.json_duration import ZERO_DURATION
from portal.workflows.localized_text import LocalizedText
from portal.workflows.needs import read_needs
from portal.workflows.question_definition import FollowUpDefinition
from portal.workflows.questions import (
    ARRIVAL_KEYS,
    QUESTION_KEYS,
    UnfilledFields,
    check_questions,
    read_question,
)
from portal.workflows.schema import (
    LEAD_AFTER,
    MANAGER_AFTER,
    REPLY_WITHIN,
    DepartmentDefinition,
    WorkflowDefinition,
)
from portal.workflows.stage_definition import StageDefinition
from portal.workflows.stage_order import in_order
from portal.workflows.table_reader import KEY_REMEDY, IssueCollector, TableReader, is_key
from portal.workflows.third_party import THIRD_PARTY_KEYS, read_third_party

MAX_STAGES: Final = 200
REFERENCE_ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""What a reference is made of: no letter or digit that is taken for another when read out."""

OUTCOME_KEYS: Final = ("arrives", "on_declined", "on_cancelled", "on_unconfirmed")
"""The keys of texts about the end of a request: its date, and what an end means."""

_FILE_KEYS: Final = (
    "key", "name", "title", "timezone", "prefix", "departments", "stages", "follow_ups",
    CANCELLATION_KEY, COLLECTION_KEY,
    *OUTCOME_KEYS,
)  # fmt: skip
_DEPARTMENT_KEYS: Final = (
    "name", "hours", "holidays", "timezone", "accept_within", "reply_within", "lead_after",
    "manager_after", "public_name",
)  # fmt: skip
_STAGE_KEYS: Final = (
    "key", "department", "name", "title", "expected", "grace", "milestone", "sms", "update_every",
    *CUSTOMER_TURN_KEYS,
    "pauses_clock", "after", "urgent", "delay", "needs", *QUESTION_KEYS, *THIRD_PARTY_KEYS,
)  # fmt: skip
_FOLLOW_UP_KEYS: Final = ("key", "after_stage", "wait", "title", *QUESTION_KEYS, *ARRIVAL_KEYS)


class WorkflowValidator:
    """Reads the tables of a file and collects every issue."""

    def __init__(
        self,
        collector: IssueCollector,
        values: dict[str, object],
        known_departments: Collection[str],
    ) -> None:
        self.collector = collector
        self.table = TableReader(collector, (), values, "the workflow")
        self.department_tables = self._departments()
        self.stage_tables = list(self._list("stages", "stage", "key", 'stage "{}"'))
        self.follow_up_tables = list(
            self._list("follow_ups", "follow-up", "after_stage", 'the follow-up after "{}"')
        )
        self.departments = {*self.department_tables, *known_departments}
        self.needs: set[str] = set()
        self.stages = [str(table.values.get("key", "")) for table in self.stage_tables]

    def read(self) -> WorkflowDefinition:
        """The workflow; valid only if no issue was collected."""
        self.table.expect_only(_FILE_KEYS)
        self.table.required("key", '"card-application"')
        self.table.required("name", '"Credit card application"')
        timezone = self._timezone(self.table, "UTC")
        departments = {
            key: self._department(key, table, timezone)
            for key, table in self.department_tables.items()
        }
        stages = in_order([self._stage(table) for table in self.stage_tables], self.stage_tables)
        follow_ups = [self._follow_up(table) for table in self.follow_up_tables]
        questions: list[tuple[TableReader, FollowUpDefinition | None]] = [
            *zip(self.stage_tables, (stage.question for stage in stages), strict=True),
            *zip(self.follow_up_tables, follow_ups, strict=True),
        ]
        UnfilledFields(
            list(zip(self.stage_tables, stages, strict=True)),
            [(table, question) for table, question in questions if question is not None],
        ).check()
        check_questions(
            questions,
            dict(zip(self.stages, (stage.after for stage in stages), strict=True)),
        )
        return WorkflowDefinition(
            key=self.table.key("key"),
            name=self.table.text("name"),
            timezone=timezone,
            prefix=self._prefix(),
            departments=departments,
            stages=tuple(stages),
            follow_ups=tuple(follow_ups),
            title=self.table.localized_text("title"),
            customer_may_cancel_until=read_stage_key(self.table, CANCELLATION_KEY, self.stages),
            collect_at=read_stage_key(self.table, COLLECTION_KEY, self.stages),
            **{key: self.table.localized_text(key) for key in OUTCOME_KEYS},
        )

    def _departments(self) -> dict[str, TableReader]:
        tables = self.table.values.get("departments", {})
        if not isinstance(tables, dict):
            self.table.add_issue(
                "departments", "has no table of departments", "Write [departments.telesales]."
            )
            return {}
        readers = {}
        for key, values in tables.items():
            path = ("departments", key)
            readers[key] = TableReader(
                self.collector,
                path,
                values if isinstance(values, dict) else {},
                f'department "{key}"',
            )
            if not isinstance(values, dict):
                self.collector.add(
                    path, f'department "{key}" is no table', f"Write [departments.{key}]."
                )
            if not is_key(key):
                self.collector.add(path, f'department "{key}" is no key', KEY_REMEDY)
        return readers

    def _list(self, name: str, what: str, key: str, by_key: str) -> Iterator[TableReader]:
        tables = self.table.values.get(name, [])
        if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            self.table.add_issue(
                name, f'has "{name}" that are no tables', f"Head each with [[{name}]]."
            )
            return
        if name == "stages" and not 0 < len(tables) <= MAX_STAGES:
            self.table.add_issue(
                name,
                f"has {len(tables) or 'no'} stages",
                f"Write one to {MAX_STAGES}, each headed by [[stages]].",
            )
            return
        for number, values in enumerate(tables):
            value = values.get(key)
            label = by_key.format(value) if isinstance(value, str) else f"{what} {number + 1}"
            yield TableReader(self.collector, (name, number), values, label)

    def _prefix(self) -> str:
        prefix = self.table.text("prefix")
        if "prefix" in self.table:
            if prefix and not re.fullmatch(rf"[{REFERENCE_ALPHABET}]{{2,4}}", prefix):
                self.table.add_issue(
                    "prefix",
                    f'has "{prefix}" as "prefix"',
                    f"Take two to four of {REFERENCE_ALPHABET}: none is mistaken for another.",
                )
            return prefix
        first_word = re.split(r"[-_]", str(self.table.values.get("key", "")).upper())[0]
        return "".join(letter for letter in first_word if letter in REFERENCE_ALPHABET)[:4] or "K"

    def _department(self, key: str, table: TableReader, timezone: str) -> DepartmentDefinition:
        table.expect_only(_DEPARTMENT_KEYS)
        hours, holidays = table.text("hours"), table.text("holidays")
        for name, value, check in (
            ("hours", hours, OpeningHours.parse),
            ("holidays", holidays, check_holidays),
        ):
            try:
                if value:
                    check(value)
            except ValueError as refusal:
                table.add_parse_error(name, refusal)
        return DepartmentDefinition(
            key=key,
            name=table.text("name") or _name_from_key(key),
            timezone=self._timezone(table, timezone),
            hours=hours or None,
            holidays=holidays or None,
            accept_within=table.duration("accept_within"),
            reply_within=table.duration("reply_within", REPLY_WITHIN),
            lead_after=table.duration("lead_after", LEAD_AFTER),
            manager_after=table.duration("manager_after", MANAGER_AFTER),
            public_name=table.localized_text("public_name"),
        )

    def _timezone(self, table: TableReader, default: str) -> str:
        name = table.text("timezone")
        if name and name not in zone_names():
            remedy = did_you_mean(name, zone_names())
            table.add_issue("timezone", f'has "{name}" as "timezone", which is none', remedy)
        return name or default

    def _stage(self, table: TableReader) -> StageDefinition:
        table.expect_only(_STAGE_KEYS)
        for key, example in (
            ("key", '"received"'),
            ("department", '"telesales"'),
            ("title", '"We have your application"'),
            ("expected", '"4bh"'),
        ):
            table.required(key, example)
        key = table.key("key")
        needs = read_needs(table, self.needs)
        stage = StageDefinition(
            key=key,
            department=self._known_department(table),
            name=table.text("name") or _name_from_key(key),
            title=table.localized_text("title") or LocalizedText({}),
            expected=table.duration("expected", ZERO_DURATION),
            grace=table.duration("grace", ZERO_DURATION),
            milestone=table.flag("milestone", default=True),
            sms=table.localized_text("sms", is_template=True),
            update_every=table.duration("update_every"),
            pauses_clock=table.flag("pauses_clock", default=False),
            question=self._question_of_stage(table, key),
            urgent=table.flag("urgent", default=False),
            **read_third_party(table),
            delay=table.localized_text("delay", is_template=True),
            needs=needs,
        )
        return read_customer_turn(table, stage)

    def _known_department(self, table: TableReader) -> str:
        key = table.text("department")
        if key and key not in self.departments:
            table.add_issue(
                "department",
                f'is in the department "{key}", which nobody has defined',
                did_you_mean(key, self.departments),
            )
        return key

    def _question_of_stage(self, table: TableReader, stage: str) -> FollowUpDefinition | None:
        if "question" in table:
            base = FollowUpDefinition(f"at-{stage}", stage, LocalizedText({}), asked_when="reached")
            return read_question(table, self.stages, base)
        for key in QUESTION_KEYS:
            # The place is also where the customer comes.
            if key in table and key not in CUSTOMER_TURN_KEYS:
                remedy = f'Add question = "..." or take out "{key}".'
                table.add_issue(key, f'has "{key}" but asks nothing', remedy)
        return None

    def _follow_up(self, table: TableReader) -> FollowUpDefinition:
        table.expect_only(_FOLLOW_UP_KEYS)
        table.required("question", '"Has your card arrived? Reply YES or NO."')
        stage = table.text("after_stage")
        if table.required("after_stage", '"delivered"') and stage and stage not in self.stages:
            table.add_issue(
                "after_stage", "names a stage that is not there", did_you_mean(stage, self.stages)
            )
        base = FollowUpDefinition(
            key=table.key("key") or f"after-{stage}",
            after_stage=stage,
            question=LocalizedText({}),
            wait=table.duration("wait", ZERO_DURATION),
            title=table.localized_text("title"),
        )
        return read_question(table, self.stages, base)


def _name_from_key(key: str) -> str:
    return re.sub(r"[-_]", " ", key).capitalize()
