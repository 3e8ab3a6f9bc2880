"""Proofreading what customers will read: each text should fit what its language may cost.

Texts are filled with long real names and counted as they would be billed: one segment, two in
Arabic (see ``typical``). What is found is a warning: a longer text arrives as well, it only costs
more.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from portal.messaging.send_rules import with_opt_out_hint
from portal.messaging.sms.bidi import with_direction_mark
from portal.messaging.sms.gsm_text import to_gsm7
from portal.messaging.sms.segments import GSM, SegmentCount, count_segments
from portal.messaging.wording.lint_samples import TOKEN_LENGTH, sample_values
from portal.messaging.wording.renderer import fill_template, product_text
from portal.paths import TEMPLATES
from portal.workflows import (
    PLACEHOLDERS,
    FollowUpDefinition,
    StageDefinition,
    TomlLines,
    WorkflowDefinition,
    WorkflowIssue,
    placeholder_issues,
)

PRODUCT_FIELDS = (*PLACEHOLDERS, "owner", "since")
"""Fields that every product text may have beside the workflow's."""
FIELDS_BY_TEXT = {
    "due": (
        "acknowledgement", "again_acknowledged", "call_at", "call_by", "noted_no", "offer",
        "promise", "promise_moved", "sent_back_passed", "status_passed", "delay_person", "update_hold_until",
    ),
    "promise": ("promise", "promise_moved"),
    "question": ("follow_up", "reminder", "status_asked"),
    "choices": ("which", "which_again"),
    "ended": ("status_ended",),
    "at": ("noted_time",),
    "reason": ("delay_because", "update_hold", "update_hold_until"),
    "last": ("update_said",),
    "code": ("code", "code_mail"),
    "host": ("code",),
}  # fmt: skip
"""Fields that are filled in some sentences only."""
TEXTS_WITHOUT_REQUEST = ("flood", "help", "mail_start", "mail_stop", "start", "stop", "unknown")
"""Texts to an address without a request: only the brand and the address are known."""

MAX_LISTED_CHARACTERS = 5
"""Characters that are listed; a whole alphabet would say less."""

TextPath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class LintedText:
    """A text in one language: its place, its name, and each variant."""

    where: TextPath
    what: str
    words: str
    language: str
    said: list[str]

    @property
    def segment_count(self) -> SegmentCount:
        """What the dearest of those texts costs, as it would be sent."""
        prices = [
            count_segments(with_direction_mark(to_gsm7(text), self.language)) for text in self.said
        ]
        return max(prices, key=lambda one: (one.segments, one.units))


@dataclass(frozen=True)
class TextLinter:
    """Reads with our own name and address, as customers would."""

    brand: str
    public_url: str

    def read_workflow(self, workflow: WorkflowDefinition, lines: TomlLines) -> list[WorkflowIssue]:
        """A warning for each text of a workflow that costs more than it must, by line."""
        found = [
            warning
            for written in self.workflow_texts(workflow)
            for warning in _weigh(written, lines.of(written.where), written.what)
        ]
        return sorted(found, key=lambda warning: warning.line or 0)

    def lint_product_texts(self) -> list[tuple[str, WorkflowIssue]]:
        """Fields that nobody fills, and what costs too much, in our own sentences; by file."""
        found = []
        for written in self.product_texts():
            name = written.what.partition("/")[2].removesuffix(".txt")
            for problem, remedy in placeholder_issues(written.words, allowed_fields(name)):
                found.append((written.what, WorkflowIssue(1, f"this has {problem}", remedy)))
            found += [(written.what, one) for one in _weigh(written, 1, "this is a text")]
        return found

    def product_texts(self) -> Iterator[LintedText]:
        """Each sentence of our own, in each language, by the name of its file."""
        folder = TEMPLATES / "sms"
        for path in sorted(folder.glob("*/*.txt"), key=lambda path: (path.stem, path.parent.name)):
            words = path.read_text(encoding="utf-8").strip()
            name, language = path.stem, path.parent.name
            link = self._origin(language) if name in TEXTS_WITHOUT_REQUEST else self._link(language)
            said = fill_template(words, self._own(language) | {"link": link})
            yield LintedText((), f"{language}/{path.name}", words, language, [said])

    def workflow_texts(self, workflow: WorkflowDefinition) -> Iterator[LintedText]:
        """Each text of a workflow, in each language that it is written in."""
        for number, stage in enumerate(workflow.stages):
            where, what = ("stages", number), f'stage "{stage.key}"'
            for language, title in stage.title.texts.items():
                facts = self._facts(workflow, stage, language) | {"title": title}
                said = _with_title(stage, language, facts)
                here = (*where, "title", language)
                yield LintedText(here, f'{what} has a "title"', title, language, said)
            for language, text in stage.sms.texts.items() if stage.sms else ():
                facts = self._facts(workflow, stage, language)
                told = fill_template(text, facts | {"title": stage.title.in_language(language)})
                if not stage.after:
                    told = with_opt_out_hint(told, facts["brand"], language)
                here = (*where, "sms", language)
                yield LintedText(here, f'{what} has an "sms"', text, language, [told])
            for language, delay in stage.delay.texts.items() if stage.delay else ():
                facts = self._facts(workflow, stage, language)
                words = product_text("delay_because", language)
                told = fill_template(words, facts | {"reason": fill_template(delay, facts)})
                here = (*where, "delay", language)
                yield LintedText(here, f'{what} has a "delay"', delay, language, [told])
            if stage.question is not None:
                yield from self._asked(workflow, stage.question, where, what)
        for number, asked in enumerate(workflow.follow_ups):
            what = f'the follow-up after "{asked.after_stage}"'
            yield from self._asked(workflow, asked, ("follow_ups", number), what)

    def _asked(
        self, workflow: WorkflowDefinition, asked: FollowUpDefinition, where: TextPath, what: str
    ) -> Iterator[LintedText]:
        stage = workflow.stage(asked.after_stage)
        for language, question in asked.question.texts.items():
            facts = self._facts(workflow, stage, language)
            put = facts | {"question": fill_template(question, facts)}
            said = [
                fill_template(product_text(name, language), put)
                for name in ("follow_up", "reminder")
            ]
            here = (*where, "question", language)
            yield LintedText(here, f'{what} has a "question"', question, language, said)

    def _facts(
        self, workflow: WorkflowDefinition, stage: StageDefinition, language: str
    ) -> dict[str, str]:
        department, facts = workflow.departments.get(stage.department), self._own(language)
        return facts | {
            "department": department.name if department else facts["department"],
            "reference": f"{workflow.prefix}-7K4M-2Q9",
        }

    def _own(self, language: str) -> dict[str, str]:
        typical = sample_values(language)
        brand = self.brand.ljust(typical.brand, "x")
        return typical.facts | {"brand": brand, "link": self._link(language)}

    def _link(self, language: str) -> str:
        return f"{self._origin(language)}/r/{'x' * TOKEN_LENGTH}"

    def _origin(self, language: str) -> str:
        return self.public_url.ljust(sample_values(language).origin, "x")


def allowed_fields(name: str) -> tuple[str, ...]:
    """The fields that the product text of that name may have."""
    if name in TEXTS_WITHOUT_REQUEST:
        return ("brand", "link")
    return (*PRODUCT_FIELDS, *(field for field, names in FIELDS_BY_TEXT.items() if name in names))


def _with_title(stage: StageDefinition, language: str, facts: dict[str, str]) -> list[str]:
    """Product texts with a stage's title."""
    waits = stage.pauses_clock or stage.question is not None
    said = [fill_template(product_text("status_waiting" if waits else "status", language), facts)]
    if stage.milestone and stage.sms is None:
        told = fill_template(
            product_text("milestone_waiting" if waits else "milestone", language), facts
        )
        said.append(told if stage.after else with_opt_out_hint(told, facts["brand"], language))
    return said


def _weigh(written: LintedText, line: int | None, what: str) -> Iterator[WorkflowIssue]:
    """At most one warning: of letters that make a text dear, else of too many letters."""
    segment_count, most = written.segment_count, sample_values(written.language).segments
    plain, cost = (
        to_gsm7(written.words),
        f"{segment_count.segments} segment{'s' * (segment_count.segments > 1)}",
    )
    strange = dict.fromkeys(letter for letter in plain if letter not in GSM)
    if strange and most == 1:
        named = [f'"{one}" (letter {plain.index(one) + 1})' for one in strange][
            :MAX_LISTED_CHARACTERS
        ]
        if len(strange) > MAX_LISTED_CHARACTERS:
            named.append(f"{len(strange) - MAX_LISTED_CHARACTERS} more")
        yield WorkflowIssue(
            line,
            f"{what} with letters outside GSM 03.38: {', '.join(named)}. They leave 70 letters to a "
            f"segment instead of 160, so with long names it costs {cost}",
            "Write them plainly, or keep them and know the price.",
        )
    elif segment_count.segments > most:
        part = (
            (153 if most > 1 else 160)
            if segment_count.encoding == "GSM-7"
            else (67 if most > 1 else 70)
        )
        yield WorkflowIssue(
            line,
            f"{what} that costs {cost} with long names: {segment_count.units} letters where {part * most} fit",
            f"Make it {segment_count.units - part * most} shorter.",
        )
