"""The report: lines of text for people, and JSON for programs."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from multiprocessing import get_context
from statistics import median
from typing import Any, Self

import structlog
import uvloop

from portal.models import DroppedBallKind
from tests.simulation.drop import ActualDrop
from tests.simulation.faults import DESCRIPTIONS, Fault
from tests.simulation.run import BEGINS_AT, Result, Scenario, run_scenario

MAX_FALSE_ALARM_SHARE = 0.01
SHOWN = 10

KINDS = {
    DroppedBallKind.HANDOFF_UNACCEPTED: "handoff not accepted in time",
    DroppedBallKind.STAGE_OVERDUE: "stage past its time and grace",
    DroppedBallKind.PROMISE_DUE: "promise not kept in time",
    DroppedBallKind.MESSAGE_UNANSWERED: "customer's message not answered in time",
    DroppedBallKind.MESSAGE_UNDELIVERED: "message that reached nobody",
    DroppedBallKind.OUTCOME_UNKNOWN: "message with an unknown outcome",
    DroppedBallKind.FOLLOW_UP_UNANSWERED: "question that got no answer",
    DroppedBallKind.THIRD_PARTY_SILENT: "courier or other third party silent",
    DroppedBallKind.RETURNED_REPEATEDLY: "request that goes back and forth",
    DroppedBallKind.AGEING: "request far older than others",
    DroppedBallKind.OWNER_ABSENT: "owner absent, no deputy",
    DroppedBallKind.NO_OWNER: "no owner",
    DroppedBallKind.CUSTOMER_UNREACHABLE: "customer out of reach",
    DroppedBallKind.SENT_TWICE: "message sent twice",
}


@dataclass
class DropStatistics:
    """One kind of dropped ball: how often, how often raised, and how many seconds late."""

    dropped: int = 0
    raised: int = 0
    put_right_at_once: int = 0
    median_seconds: float | None = None
    worst_seconds: float | None = None


@dataclass
class Report:
    """All figures; ``misses`` names each target that was missed."""

    requests: int
    seed: int
    faults: list[str]
    done: int
    days: float
    dropped: int
    raised: int
    put_right_at_once: int
    raised_share: float
    median_seconds: float | None
    worst_seconds: float | None
    kinds: dict[str, DropStatistics]
    never_put_right: int
    alarms: int
    false_alarms: int
    messages_owed: int
    messages_lost: int
    messages_doubled: int
    ownerless: int
    refused_turns: dict[str, int]
    done_to_it: dict[str, int]
    customers_asked: int
    customers_asked_without: int | None
    requests_asked_about: int
    requests_asked_about_without: int | None
    seconds: float
    misses: list[str] = field(default_factory=list)
    details: list[str] = field(default_factory=list)
    status_questions: list[str] = field(default_factory=list)
    """Each time that a customer had to ask, and why."""

    def as_json(self) -> dict[str, Any]:
        """The figures for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class QuestionCount:
    """How often customers had to ask, and about how many requests."""

    times: int
    requests: int

    @classmethod
    def of(cls, result: Result) -> Self:
        """The count of one simulation."""
        asked = [case.asked for case in result.cases if case.asked]
        return cls(sum(asked), len(asked))


def report(result: Result, without: QuestionCount | None = None) -> Report:
    """Compute the figures; ``without`` is of the same simulation without updates."""
    asking = QuestionCount.of(result)
    oracle, audit = result.oracle, result.audit
    drops = [drop for drop in oracle.drops if drop.counts]
    at_once = [drop for drop in oracle.drops if not drop.counts]
    raised = [drop for drop in drops if drop.raised_at is not None]
    injected = {**result.simulation.done, **result.simulation.carrier.faults.acts}
    late = "came too late: "
    made = Report(
        requests=result.scenario.requests,
        seed=result.scenario.dice.seed,
        faults=sorted(fault.value for fault in result.scenario.dice.faults),
        done=sum(case.is_over for case in result.cases),
        days=round((result.simulation.now - BEGINS_AT).total_seconds() / 86_400, 1),
        dropped=len(drops),
        raised=len(raised),
        put_right_at_once=len(at_once),
        raised_share=_share(len(raised), len(drops)),
        median_seconds=_median(raised),
        worst_seconds=_worst(raised),
        kinds=dict(_by_kind(oracle.drops)),
        never_put_right=len(oracle.standing),
        alarms=oracle.raised,
        false_alarms=len(oracle.false),
        messages_owed=audit.owed,
        messages_lost=len(audit.lost),
        messages_doubled=len(audit.doubled),
        ownerless=result.simulation.ownerless,
        refused_turns={k.removeprefix(late): v for k, v in injected.items() if k.startswith(late)},
        done_to_it={k: v for k, v in sorted(injected.items()) if not k.startswith(late)},
        customers_asked=asking.times,
        customers_asked_without=without.times if without else None,
        requests_asked_about=asking.requests,
        requests_asked_about_without=without.requests if without else None,
        seconds=round(result.seconds, 1),
    )
    made.details = [
        *(f"not raised: {_described(drop)}" for drop in drops if drop.raised_at is None),
        *(f"false alarm: {sentence}" for sentence in oracle.false),
        *(f"lost: {sentence}" for sentence in audit.lost),
        *(f"twice: {sentence}" for sentence in audit.doubled),
        *(f"never resolved: {_described(drop)}" for drop in oracle.standing.values()),
    ]
    made.status_questions = [
        f"request {case.number} ({case.kind.key}), {question}"
        for case in result.cases
        for question in case.status_questions
    ]
    made.misses = list(_misses(made))
    return made


async def compare(scenario: Scenario, database_url: str | None) -> Report:
    """Simulate with updates and follow-ups here, and without them in a process beside it."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as beside:
        silent = replace(scenario, sends_updates=False)
        without = asyncio.get_running_loop().run_in_executor(beside, count_questions, silent)
        result = await run_scenario(scenario, database_url)
        return report(result, await without)


def count_questions(scenario: Scenario) -> QuestionCount:
    """How often customers have to ask."""
    silence_logs()
    return QuestionCount.of(uvloop.run(run_scenario(scenario)))


def silence_logs() -> None:
    """Log nothing: workers are killed on purpose."""
    logging.disable(logging.CRITICAL)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


def _misses(made: Report) -> Iterator[str]:
    if made.raised < made.dropped:
        yield f"{made.dropped - made.raised} of {made.dropped} drops were not raised"
    if made.false_alarms and made.false_alarms >= MAX_FALSE_ALARM_SHARE * made.alarms:
        yield f"{made.false_alarms} of {made.alarms} alarms were false"
    if made.messages_lost:
        yield f"{made.messages_lost} messages were lost"
    if made.messages_doubled:
        yield f"{made.messages_doubled} messages were sent twice"
    if made.ownerless:
        yield f"{made.ownerless} times a request had no owner"


def as_lines(made: Report) -> list[str]:
    """The report as it is printed, line by line."""
    soon = _soon(made.median_seconds, made.worst_seconds)
    faults = [DESCRIPTIONS[fault] for fault in Fault if fault.value in made.faults]
    lines = [
        f"{made.requests:,} requests, seed {made.seed}: {made.days:g} days in {made.seconds:g} s.",
        f"  done                     {made.done:,} ({_percent(_share(made.done, made.requests))})",
        f"  things that went wrong   {'; '.join(faults) or 'none'}",
        "",
        f"Dropped balls            {made.dropped:,} times",
        f"  raised                   {made.raised:,} ({_percent(made.raised_share)}){soon}",
    ]
    for kind, figures in sorted(made.kinds.items(), key=lambda item: -item[1].dropped):
        if figures.dropped:
            lines.append(
                f"    {KINDS.get(DroppedBallKind(kind), kind):<42}{figures.raised:>6,} of"
                f" {figures.dropped:<6,}{_soon(figures.median_seconds, figures.worst_seconds)}"
            )
    lines += [
        f"  resolved before they could be raised     {made.put_right_at_once:,}",
        f"  never resolved           {made.never_put_right:,}",
        f"False alarms             {made.false_alarms:,} of {made.alarms:,}",
        f"Messages                 {made.messages_owed:,} owed",
        f"  lost                     {made.messages_lost:,}",
        f"  doubled                  {made.messages_doubled:,}",
        f"Moments without an owner {made.ownerless:,}",
        "",
        *_asking(made),
        "",
        "Faults",
        *(f"  {number:>7,}  {what}" for what, number in made.done_to_it.items()),
        "",
    ]
    lines += [f"  {sentence}" for sentence in made.details[:SHOWN]]
    if len(made.details) > SHOWN:
        lines.append(f"  and {len(made.details) - SHOWN:,} more (--json shows all)")
    if made.misses:
        return [*lines, *(f"MISSED: {miss}." for miss in made.misses)]
    return [*lines, "Every target is met: all raised, none lost, none sent twice, always an owner."]


def _asking(made: Report) -> Iterator[str]:
    yield (
        f"Customers had to ask     {made.customers_asked:,} times, about "
        f"{made.requests_asked_about:,} requests"
    )
    if made.customers_asked_without is not None:
        yield (
            f"  without updates          {made.customers_asked_without:,} times, about "
            f"{made.requests_asked_about_without:,} requests"
        )
    yield from (f"  {question}" for question in made.status_questions[:SHOWN])


def _by_kind(drops: Sequence[ActualDrop]) -> Iterator[tuple[str, DropStatistics]]:
    by_kind: dict[str, list[ActualDrop]] = defaultdict(list)
    for drop in drops:
        by_kind[drop.kind.value].append(drop)
    for kind, theirs in by_kind.items():
        counted = [drop for drop in theirs if drop.counts]
        raised = [drop for drop in counted if drop.raised_at is not None]
        yield (
            kind,
            DropStatistics(
                len(counted), len(raised), len(theirs) - len(counted),
                _median(raised), _worst(raised),
            ),
        )  # fmt: skip


def _described(drop: ActualDrop) -> str:
    return f"{drop.kind} {drop.subject} of request {drop.request_id}, {drop.at:%d %b %H:%M:%S}"


def _seconds(drops: Sequence[ActualDrop]) -> list[float]:
    return [drop.seconds for drop in drops if drop.seconds is not None]


def _median(drops: Sequence[ActualDrop]) -> float | None:
    return median(_seconds(drops)) if drops else None


def _worst(drops: Sequence[ActualDrop]) -> float | None:
    return max(_seconds(drops), default=None)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 1.0


def _percent(share: float) -> str:
    return f"{100 * share:.4g} %"


def _soon(middle: float | None, worst: float | None) -> str:
    if middle is None or worst is None:
        return ""
    return f"   after {_time(middle)} in the median, {_time(worst)} at worst"


def _time(seconds: float) -> str:
    return f"{seconds:.3g} s" if seconds < 120 else f"{seconds / 60:.3g} min"
