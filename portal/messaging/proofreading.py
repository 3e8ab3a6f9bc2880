"""Proofreading what customers will read: each text should fit one segment, even with long names.

Texts are filled with long real names and counted as they would be billed. What is found is a
warning: a text of two segments arrives as well, it only costs twice.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from portal.messaging.compose import fill, product_words
from portal.messaging.outbox import as_first_text
from portal.messaging.plain import cheapen
from portal.messaging.segments import GSM, count
from portal.places import TEMPLATES
from portal.workflows import (
    FIELDS,
    FollowUpDefinition,
    Lines,
    Mistake,
    StageDefinition,
    WorkflowDefinition,
    template_mistakes,
)

LONG_BRAND, LONG_ORIGIN, TOKEN = 20, 25, 22
"""Letters: a name and an address of our own are taken to be at least so long."""

LONG = {
    "first_name": "Anne-Charlotte",
    "owner": "Anne-Charlotte",
    "department": "Planning and Development",
    "title": "Your card is on its way to you",
    "next": "Your card is on its way to you",
    "next_by": "26 Nov 2027",
    "since": "Wed, 11:45 pm",
    "due": "Wed 26 Nov, 11:45 pm",
    "question": "Has your card arrived? Reply YES or NO.",
    "promise": "We will call you.",
    "ended": "on Wed 26 Nov, 11:45 pm",
    "at": "Wed 26 Nov, 11:45 pm",
    "reason": "The courier needs a day more.",
    "last": "Parcel in Newark.",
    "reference": "CARD-7K4M-2Q9",
    "choices": "1 Credit card application CARD-7K4M-2Q9, 2 Device repair DEVC-7K4M-2Q9",
}
"""Facts as long as they come in an ordinary life, in plain letters."""

OWN_FIELDS = (*FIELDS, "owner", "since")
"""What the product's own sentences may always say beside the workflow's."""
ONLY_IN = {
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
}  # fmt: skip
"""Fields that are filled in some sentences only."""
WITHOUT_REQUEST = ("flood", "help", "mail_start", "mail_stop", "start", "stop", "unknown")
"""Said to an address: nothing is known but who we are and where to find a request."""

MOST_NAMED = 5
"""Letters that are named; a whole alphabet would say less."""

Where = tuple[str | int, ...]


@dataclass(frozen=True)
class Proofreader:
    """Reads with our own name and address, as customers would."""

    brand: str
    public_url: str

    def read_workflow(self, workflow: WorkflowDefinition, lines: Lines) -> list[Mistake]:
        """A warning for each text of a workflow that costs more than it must, by line."""
        found = [
            warning
            for where, what, written, said in self._texts(workflow)
            for warning in _weigh(what, written, said, lines.of(where))
        ]
        return sorted(found, key=lambda warning: warning.line or 0)

    def read_product(self) -> list[tuple[str, Mistake]]:
        """Fields that nobody fills, and what costs too much, in our own sentences; by file."""
        return [
            (path.name, warning)
            for path in sorted((TEMPLATES / "sms").glob("*.txt"))
            for warning in self._sentence(path.name, path.read_text(encoding="utf-8").strip())
        ]

    def _sentence(self, file: str, template: str) -> Iterator[Mistake]:
        name = file.partition(".")[0]
        for problem, remedy in template_mistakes(template, fields_of(name)):
            yield Mistake(1, f"this has {problem}", remedy)
        link = self._origin if name in WITHOUT_REQUEST else self._link
        yield from _weigh(
            "this is a text", template, [fill(template, self._own | {"link": link})], 1
        )

    def _texts(self, workflow: WorkflowDefinition) -> Iterator[tuple[Where, str, str, list[str]]]:
        """Where it stands, what it is, the words as written, and each text that says them."""
        for number, stage in enumerate(workflow.stages):
            what, facts = f'stage "{stage.key}"', self._facts(workflow, stage)
            for language, title in stage.title.texts.items():
                said = _with_title(stage, language, facts | {"title": title})
                yield ("stages", number, "title", language), f'{what} has a "title"', title, said
            for language, text in stage.sms.texts.items() if stage.sms else ():
                told = fill(text, facts | {"title": stage.title.in_language(language)})
                if not stage.after:
                    told = as_first_text(told, facts["brand"])
                yield ("stages", number, "sms", language), f'{what} has an "sms"', text, [told]
            for language, delay in stage.delay.texts.items() if stage.delay else ():
                words = product_words("delay_because", language)
                told = fill(words, facts | {"reason": fill(delay, facts)})
                yield ("stages", number, "delay", language), f'{what} has a "delay"', delay, [told]
            if stage.question is not None:
                yield from _asked(stage.question, ("stages", number), what, facts)
        for number, asked in enumerate(workflow.follow_ups):
            what = f'the follow-up after "{asked.after_stage}"'
            facts = self._facts(workflow, workflow.stage(asked.after_stage))
            yield from _asked(asked, ("follow_ups", number), what, facts)

    def _facts(self, workflow: WorkflowDefinition, stage: StageDefinition) -> dict[str, str]:
        department = workflow.departments.get(stage.department)
        return self._own | {
            "department": department.name if department else LONG["department"],
            "reference": f"{workflow.prefix}-7K4M-2Q9",
        }

    @property
    def _own(self) -> dict[str, str]:
        return LONG | {"brand": self.brand.ljust(LONG_BRAND, "x"), "link": self._link}

    @property
    def _link(self) -> str:
        return f"{self._origin}/r/{'x' * TOKEN}"

    @property
    def _origin(self) -> str:
        return self.public_url.ljust(LONG_ORIGIN, "x")


def fields_of(name: str) -> tuple[str, ...]:
    """What may stand in braces in the product's own sentence of that name."""
    if name in WITHOUT_REQUEST:
        return ("brand", "link")
    return (*OWN_FIELDS, *(field for field, names in ONLY_IN.items() if name in names))


def _with_title(stage: StageDefinition, language: str, facts: dict[str, str]) -> list[str]:
    """Our own sentences that say a stage's title."""
    waits = stage.pauses_clock or stage.question is not None
    said = [fill(product_words("status_waiting" if waits else "status", language), facts)]
    if stage.milestone and stage.sms is None:
        told = fill(product_words("milestone_waiting" if waits else "milestone", language), facts)
        said.append(told if stage.after else as_first_text(told, facts["brand"]))
    return said


def _asked(
    asked: FollowUpDefinition, where: Where, what: str, facts: dict[str, str]
) -> Iterator[tuple[Where, str, str, list[str]]]:
    for language, question in asked.question.texts.items():
        put = facts | {"question": fill(question, facts)}
        said = [fill(product_words(name, language), put) for name in ("follow_up", "reminder")]
        yield (*where, "question", language), f'{what} has a "question"', question, said


def _weigh(what: str, written: str, said: list[str], line: int | None) -> Iterator[Mistake]:
    """At most one warning: of letters that make a text dear, else of too many letters."""
    price = max((count(cheapen(text)) for text in said), key=lambda one: (one.segments, one.units))
    plain, cost = cheapen(written), f"{price.segments} segment{'s' * (price.segments > 1)}"
    strange = dict.fromkeys(letter for letter in plain if letter not in GSM)
    if strange:
        named = [f'"{one}" (letter {plain.index(one) + 1})' for one in strange][:MOST_NAMED]
        if len(strange) > MOST_NAMED:
            named.append(f"{len(strange) - MOST_NAMED} more")
        yield Mistake(
            line,
            f"{what} with letters outside GSM 03.38: {', '.join(named)}. They leave 70 letters to a "
            f"segment instead of 160, so with long names it costs {cost}",
            "Write them plainly, or keep them and know the price.",
        )
    elif price.segments > 1:
        most = 160 if price.encoding == "GSM-7" else 70
        yield Mistake(
            line,
            f"{what} that costs {cost} with long names: {price.units} letters where {most} fit",
            f"Make it {price.units - most} shorter.",
        )
