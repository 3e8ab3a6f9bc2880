"""The questions that a stage puts: planned with the values of their fields, never without one."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from portal.errors import BadInput
from portal.models.people.actor import ActorKind
from portal.models.requests.follow_up import AnswerType, FollowUp
from portal.models.requests.service_request import ServiceRequest
from portal.models.requests.stage_run import RunState, StageRun
from portal.rules.facts import Facts
from portal.workflows import FollowUpDefinition

MAX_FIELD_LENGTH = 80
"""Characters of one value: it stands in a text and on a button."""


def plan_question(
    facts: Facts,
    definition: FollowUpDefinition,
    run: StageRun,
    values: Mapping[str, str],
) -> FollowUp:
    """The question of this run, planned; without the values of its fields it is never asked."""
    during_stage = definition.asked_when == "reached"
    question = FollowUp(
        run=run,
        key=definition.key,
        during_stage=during_stage,
        question=_filled(definition.question.in_language(facts.request.customer.locale), values),
        fields=dict(values),
        expects=AnswerType(definition.expects),
        planned_at=facts.now,
        next_at=_ask_at(facts, definition, run),
    )
    if unfilled_fields(question, definition):
        question.next_at = None
    facts.request.follow_ups.append(question)
    return question


def _ask_at(facts: Facts, definition: FollowUpDefinition, run: StageRun) -> datetime:
    """At once for the question of a stage; else after its wait, in the hours of the department."""
    calendar = facts.roster.department_by_id(run.department_id).calendar
    is_of_stage = definition.asked_when == "reached"
    return facts.now if is_of_stage else calendar.add(facts.now, definition.wait)


def _filled(text: str, values: Mapping[str, str]) -> str:
    """The text with these values; what only the message knows, such as the link, stays open."""
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def field_values(
    facts: Facts, definition: FollowUpDefinition, given: Mapping[str, str]
) -> dict[str, str]:
    """The values of the fields of a question that is about to be put.

    A field that is not given has the value that the request was opened with, where that can stand
    in a text. What a customer's answer leads to has the values that were given last. Raises
    BadInput for a value that staff or a system give, and that is missing, too long, or cannot stand
    in a text.
    """
    request, values = facts.request, dict[str, str]()
    is_asked_of_person = facts.actor.kind in (ActorKind.STAFF, ActorKind.API)
    earlier = {} if is_asked_of_person else _last_values(request, definition.key)
    for name in definition.fields:
        value = _checked(name, given.get(name, "")) or _opened_with(request, name)
        values[name] = value or earlier.get(name, "")
    missing = [name for name in definition.fields if not values[name]]
    if missing and is_asked_of_person:
        raise _missing(definition, missing)
    return values


def questions_put_by(request: ServiceRequest, run: StageRun) -> list[FollowUpDefinition]:
    """The questions that completing this run puts to the customer."""
    definition = request.definition
    done = {other.stage_key for other in request.runs if other.state == RunState.COMPLETED}
    opened = definition.opened_by(run.stage_key, done)
    questions = [stage.question for stage in opened if stage.question is not None]
    return questions + definition.follow_ups_after(run.stage_key)


def missing_fields(request: ServiceRequest, run: StageRun) -> list[str]:
    """The fields of the questions that completing this run puts, for which a person is needed."""
    questions = questions_put_by(request, run)
    names = dict.fromkeys(name for question in questions for name in question.fields)
    return [name for name in names if not _opened_with(request, name)]


def unfilled_fields(question: FollowUp, definition: FollowUpDefinition) -> list[str]:
    """The fields of a planned question that have no value: it cannot be asked."""
    return [name for name in definition.fields if not question.fields.get(name)]


def check_field_names(request: ServiceRequest, run: StageRun, given: Mapping[str, str]) -> None:
    """Raises BadInput for a value of a field that no question has which completing the run puts."""
    questions = questions_put_by(request, run)
    known = list(dict.fromkeys(name for question in questions for name in question.fields))
    for name in given:
        if name not in known:
            names = f"It takes {_listed(known)}." if known else "It takes no fields."
            raise BadInput(
                f"This step has no field {name[:40]!r}. {names}",
                fields={f"fields.{name[:40]}": "leave it out"},
            )


def field_label(name: str) -> str:
    """The name of a field as people read it: "delivery window"."""
    return name.replace("_", " ")


def field_labels(names: Sequence[str]) -> str:
    """The names of fields as people read them: "amount and delivery window"."""
    return _listed([field_label(name) for name in names])


def _opened_with(request: ServiceRequest, name: str) -> str:
    """The value of a field that the request was opened with; empty where it cannot stand in a text."""
    value = request.fields.get(name)
    text = " ".join(value.split()) if isinstance(value, str) else ""
    return text if len(text) <= MAX_FIELD_LENGTH and _is_plain(text) else ""


def _last_values(request: ServiceRequest, key: str) -> Mapping[str, str]:
    put = [question.fields for question in request.follow_ups if question.key == key]
    return put[-1] if put else {}


def _checked(name: str, value: str) -> str:
    value = " ".join(value.split())
    label = field_label(name)
    if len(value) > MAX_FIELD_LENGTH:
        raise BadInput(
            f"Please keep the {label} under {MAX_FIELD_LENGTH} letters.",
            fields={f"fields.{name}": "shorter"},
        )
    if not _is_plain(value):
        raise BadInput(
            f"Please write the {label} without braces and special characters.",
            fields={f"fields.{name}": "plain text"},
        )
    return value


def _is_plain(value: str) -> bool:
    """Whether it can stand in a text, whose fields are in braces."""
    return value.isprintable() and "{" not in value and "}" not in value


def _missing(definition: FollowUpDefinition, missing: Sequence[str]) -> BadInput:
    return BadInput(
        f"Please give the {field_labels(missing)}: the customer is asked “{definition.question}”",
        fields={f"fields.{name}": "a value, such as $89" if name == "amount" else "a value"
                for name in missing},
    )  # fmt: skip


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
