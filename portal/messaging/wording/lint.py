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
from portal.messaging.wording.lint_fields import TEXTS_WITHOUT_REQUEST, allowed_fields
from portal.messaging.wording.lint_samples import VISITS, sample_values
from portal.messaging.wording.renderer import fill_template, product_text
from portal.models.requests.tracking_link import TOKEN_LENGTH
from portal.paths import TEMPLATES
from portal.workflows import (
    FollowUpDefinition,
    StageDefinition,
    TomlLines,
    WorkflowDefinition,
    WorkflowIssue,
    placeholder_issues,
)

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
            if name.startswith(("visit_", "call_", "window_")):
                text = fill_template(
                    template, self._own(language) | VISITS[language] | {"link": link}
                )
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
        yield from self._outcome_texts(workflow)

    def _outcome_texts(self, workflow: WorkflowDefinition) -> Iterator[LintedText]:
        for key, name, outcome in (
            ("on_declined", "closed_by_no_outcome", workflow.on_declined),
            ("on_cancelled", "cancelled_outcome", workflow.on_cancelled),
            ("on_unconfirmed", "unconfirmed_outcome", workflow.on_unconfirmed),
        ):
            for language, text in outcome.texts.items() if outcome else ():
                fields = self._own(language) | {"outcome": text}
                filled = fill_template(product_text(name, language), fields)
                what = f'the workflow has an "{key}"'
                yield LintedText((key, language), what, text, language, [filled])

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
            names = ("follow_up", "follow_up_again")
            if follow_up.visit.slot is not None:
                names = ("visit_question", "visit_question_again")
                fields |= {"choices": VISITS.get(language, VISITS["en"])["choices"]}
            texts = [fill_template(product_text(name, language), fields) for name in names]
            path = (*where, "question", language)
            yield LintedText(path, f'{what} has a "question"', question, language, texts)
        for language, looking in follow_up.looking.texts.items() if follow_up.looking else ():
            facts = self._facts(workflow, stage, language)
            owner = fill_template(product_text("owner_of_department", language), facts)
            fields = facts | {"looking": fill_template(looking, facts | {"owner": owner})}
            path = (*where, "looking", language)
            texts = [fill_template(product_text("looking", language), fields)]
            yield LintedText(path, f'{what} has a "looking"', looking, language, texts)

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


def _texts_with_title(stage: StageDefinition, language: str, facts: dict[str, str]) -> list[str]:
    """Product texts with a stage's title."""
    status, announcement = "status", "milestone"
    if stage.third_party_awaited is not None:
        status, announcement = "status_third_party_then", "milestone_third_party"
        facts = facts | {"party": stage.third_party_awaited.in_language(language)}
    elif stage.pauses_clock or stage.question is not None:
        status, announcement = "status_waiting", "milestone_waiting"
    texts = [fill_template(product_text(status, language), facts)]
    if stage.milestone and stage.sms is None:
        milestone = fill_template(product_text(announcement, language), facts)
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
