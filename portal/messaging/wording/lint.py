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
from portal.messaging.wording.lint_samples import sample_values
from portal.messaging.wording.renderer import fill_template, product_text
from portal.models.requests.tracking_link import TOKEN_LENGTH
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
        "acknowledgement", "acknowledgement_again", "call_at", "call_by", "noted_no", "reopen_offer", "wish_for_person",
        "promise", "promise_moved", "sent_back_passed", "status_passed", "delay_person", "update_hold_until",
        "acknowledgement_urgent", "answer_first", "last_reply", "reopen_offer_cancelled", "rest_answered",
        "rest_urgent", "second_answer", "acknowledgement_complaint",
    ),
    "promise": ("promise", "promise_moved"),
    "question": ("ask_back", "follow_up", "follow_up_again", "status_asked"),
    "choices": ("which_request", "which_request_again", "which_request_urgent"),
    "ended": ("status_cancelled", "status_ended"),
    "at": ("noted_time",),
    "reason": (
        "delay_because", "delay_said", "update_hold", "update_hold_until", "cancelled_because",
        "declined_because", "hold_because",
    ),
    "was": ("delay_said",),
    "last": ("update_said",),
    "code": ("code", "code_mail"),
    "host": ("code",),
    "begin": ("wish_night",),
    "end": ("wish_night",),
}  # fmt: skip
"""Fields that are filled in some sentences only."""
TEXTS_WITHOUT_REQUEST = (
    "flood",
    "help",
    "mail_start",
    "mail_stop",
    "start",
    "stop",
    "unknown_sender",
)
"""Texts to an address without a request: only the brand and the address are known."""

MAX_LISTED_CHARACTERS = 5
"""Characters that are listed; a whole alphabet would say less."""

TextPath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class LintedText:
    """A text in one language: its path in the file, its name, and each variant."""

    where: TextPath
    what: str
    words: str
    language: str
    variants: list[str]

    @property
    def segment_count(self) -> SegmentCount:
        """The segments of the longest variant, as it would be sent."""
        prices = [
            count_segments(with_direction_mark(to_gsm7(text), self.language))
            for text in self.variants
        ]
        return max(prices, key=lambda price: (price.segments, price.units))


@dataclass(frozen=True)
class TextLinter:
    """Reads with our own name and address, as customers would."""

    brand: str
    public_url: str

    def read_workflow(self, workflow: WorkflowDefinition, lines: TomlLines) -> list[WorkflowIssue]:
        """A warning for each text of a workflow that costs more than it must, by line."""
        warnings = [
            warning
            for linted_text in self.workflow_texts(workflow)
            for warning in _check_cost(linted_text, lines.of(linted_text.where), linted_text.what)
        ]
        return sorted(warnings, key=lambda warning: warning.line or 0)

    def lint_product_texts(self) -> list[tuple[str, WorkflowIssue]]:
        """Unknown fields and too many segments in the product's own texts, by file."""
        warnings = []
        for linted_text in self.product_texts():
            name = linted_text.what.partition("/")[2].removesuffix(".txt")
            for problem, remedy in placeholder_issues(linted_text.words, allowed_fields(name)):
                warnings.append((linted_text.what, WorkflowIssue(1, f"this has {problem}", remedy)))
            warnings += [
                (linted_text.what, warning)
                for warning in _check_cost(linted_text, 1, "this is a text")
            ]
        return warnings

    def product_texts(self) -> Iterator[LintedText]:
        """Each sentence of our own, in each language, by the name of its file."""
        folder = TEMPLATES / "sms"
        for path in sorted(folder.glob("*/*.txt"), key=lambda path: (path.stem, path.parent.name)):
            template = path.read_text(encoding="utf-8").strip()
            name, language = path.stem, path.parent.name
            link = self._origin(language) if name in TEXTS_WITHOUT_REQUEST else self._link(language)
            text = fill_template(template, self._own(language) | {"link": link})
            yield LintedText((), f"{language}/{path.name}", template, language, [text])

    def workflow_texts(self, workflow: WorkflowDefinition) -> Iterator[LintedText]:
        """Each text of a workflow, in each language that it is written in."""
        for number, stage in enumerate(workflow.stages):
            where, what = ("stages", number), f'stage "{stage.key}"'
            for language, title in stage.title.texts.items():
                facts = self._facts(workflow, stage, language) | {"title": title}
                texts = _texts_with_title(stage, language, facts)
                path = (*where, "title", language)
                yield LintedText(path, f'{what} has a "title"', title, language, texts)
            for language, text in stage.sms.texts.items() if stage.sms else ():
                facts = self._facts(workflow, stage, language)
                filled = fill_template(text, facts | {"title": stage.title.in_language(language)})
                if not stage.after:
                    filled = with_opt_out_hint(filled, facts["brand"], language)
                path = (*where, "sms", language)
                yield LintedText(path, f'{what} has an "sms"', text, language, [filled])
            for language, delay in stage.delay.texts.items() if stage.delay else ():
                facts = self._facts(workflow, stage, language)
                template = product_text("delay_because", language)
                filled = fill_template(template, facts | {"reason": fill_template(delay, facts)})
                path = (*where, "delay", language)
                yield LintedText(path, f'{what} has a "delay"', delay, language, [filled])
            if stage.question is not None:
                yield from self._question_texts(workflow, stage.question, where, what)
        for number, follow_up in enumerate(workflow.follow_ups):
            what = f'the follow-up after "{follow_up.after_stage}"'
            yield from self._question_texts(workflow, follow_up, ("follow_ups", number), what)

    def _question_texts(
        self,
        workflow: WorkflowDefinition,
        follow_up: FollowUpDefinition,
        where: TextPath,
        what: str,
    ) -> Iterator[LintedText]:
        stage = workflow.stage(follow_up.after_stage)
        for language, question in follow_up.question.texts.items():
            facts = self._facts(workflow, stage, language)
            fields = facts | {"question": fill_template(question, facts)}
            texts = [
                fill_template(product_text(name, language), fields)
                for name in ("follow_up", "follow_up_again")
            ]
            path = (*where, "question", language)
            yield LintedText(path, f'{what} has a "question"', question, language, texts)

    def _facts(
        self, workflow: WorkflowDefinition, stage: StageDefinition, language: str
    ) -> dict[str, str]:
        department, facts = workflow.departments.get(stage.department), self._own(language)
        return facts | {
            "department": workflow.department_name(department.key, department.name, language)
            if department
            else facts["department"],
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


def _texts_with_title(stage: StageDefinition, language: str, facts: dict[str, str]) -> list[str]:
    """Product texts with a stage's title."""
    waits = stage.pauses_clock or stage.question is not None
    texts = [fill_template(product_text("status_waiting" if waits else "status", language), facts)]
    if stage.milestone and stage.sms is None:
        milestone = fill_template(
            product_text("milestone_waiting" if waits else "milestone", language), facts
        )
        texts.append(
            milestone if stage.after else with_opt_out_hint(milestone, facts["brand"], language)
        )
    return texts


def _check_cost(linted_text: LintedText, line: int | None, what: str) -> Iterator[WorkflowIssue]:
    """At most one warning: characters outside GSM 03.38, else too many segments."""
    segment_count, max_segments = (
        linted_text.segment_count,
        sample_values(linted_text.language).segments,
    )
    gsm_text, cost = (
        to_gsm7(linted_text.words),
        f"{segment_count.segments} segment{'s' * (segment_count.segments > 1)}",
    )
    non_gsm = dict.fromkeys(letter for letter in gsm_text if letter not in GSM)
    if non_gsm and max_segments == 1:
        listed = [f'"{letter}" (letter {gsm_text.index(letter) + 1})' for letter in non_gsm][
            :MAX_LISTED_CHARACTERS
        ]
        if len(non_gsm) > MAX_LISTED_CHARACTERS:
            listed.append(f"{len(non_gsm) - MAX_LISTED_CHARACTERS} more")
        yield WorkflowIssue(
            line,
            f"{what} with letters outside GSM 03.38: {', '.join(listed)}. They leave 70 letters to a "
            f"segment instead of 160, so with long names it costs {cost}",
            "Write them plainly, or keep them and know the price.",
        )
    elif segment_count.segments > max_segments:
        part = (
            (153 if max_segments > 1 else 160)
            if segment_count.encoding == "GSM-7"
            else (67 if max_segments > 1 else 70)
        )
        yield WorkflowIssue(
            line,
            f"{what} that costs {cost} with long names: {segment_count.units} letters where {part * max_segments} fit",
            f"Make it {segment_count.units - part * max_segments} shorter.",
        )
