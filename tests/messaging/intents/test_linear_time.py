"""The time to read a text grows with its length and no faster, whatever the text repeats.

Python's patterns try again what a repeat may have taken otherwise, and hold the interpreter
meanwhile: a repeat within a repeat doubles the time with each word. CPU seconds are limited with
a factor of ten and more, so that a slow machine passes and a pattern that runs away fails.
"""

import ast
import importlib
import inspect
import re
import time
from datetime import UTC, datetime
from re import _constants, _parser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.business_time import business_calendar
from portal.messaging.email.quoted_text import html_to_text, strip_quoted_text
from portal.messaging.intents.appointment_times import AppointmentTimeParser
from portal.messaging.intents.classifier import IntentKind, Question, classify
from portal.messaging.intents.commitments import extract_commitments, parse_promise_line
from portal.messaging.intents.deadlines import DeadlineParser
from portal.messaging.intents.language import LANGUAGES, languages, preload
from portal.messaging.intents.named_times import NamedTimeParser
from portal.messaging.intents.tokens import MAX_READ_LENGTH
from tests.support.cpu_limit import cpu_limit

MODULES = (
    "portal.messaging.intents.appointment_times",
    "portal.messaging.intents.commitments",
    "portal.messaging.intents.deadlines",
    "portal.messaging.intents.hours",
    "portal.messaging.intents.named_times",
    "portal.messaging.intents.time_words",
    "portal.messaging.intents.tokens",
    "portal.commands.export_replies",
    "portal.messaging.email.charsets",
    "portal.messaging.email.content",
    "portal.messaging.email.delivery_report",
    "portal.messaging.email.envelope",
    "portal.messaging.email.file_parts",
    "portal.messaging.email.machines",
    "portal.messaging.email.own_text.own_words",
    "portal.messaging.email.own_text.quote_headers",
    "portal.messaging.email.quoted_text",
    "portal.messaging.email.own_text.sent_text",
    "portal.messaging.email.own_text.signatures",
    "portal.messaging.email.signed_addresses",
    "portal.messaging.email.text_bounce",
    "portal.messaging.email.text_parts",
    "portal.messaging.link_masking",
    "portal.messaging.sms.gsm_text",
    "portal.messaging.wording.channel_neutral",
    "portal.models.requests.reference",
    "portal.operations.conversation.canned_replies",
    "portal.operations.conversation.inbound",
    "portal.operations.conversation.reading.calls",
    "portal.operations.conversation.reading.visits",
    "portal.operations.conversation.request_names",
)  # fmt: skip
"""Whatever applies a pattern to the text of a customer or of staff."""
DIGITS = ("2", "2 2", "10am", "3 pm", "2nd", "222", "9 30", "at 3", "stooopp", "12/3", "3:15")
INTENDED_SECONDS = 0.02
"""For the longest text; what takes longer must at least be linear. The clock has ticks of about 10 ms."""
TOKENS = sorted(
    {word for language in languages().values() for word in language.vocabulary} | set(DIGITS)
)
ONE_CHARACTER = (
    _constants.ANY, _constants.CATEGORY, _constants.IN, _constants.LITERAL, _constants.NOT_LITERAL,
)  # fmt: skip
preload(LANGUAGES)
OFFICE = DeadlineParser(
    business_calendar("Mon-Fri 09:00-17:30", "UTC"), datetime(2026, 6, 1, 9, tzinfo=UTC)
)


def patterns_in(value, depth=0):
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from patterns_in(key, depth)
            yield from patterns_in(item, depth)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from patterns_in(item, depth)
    elif depth == 0 and hasattr(value, "rules"):
        yield from patterns_in(list(vars(value).values()), 1)


def patterns_of(name):
    """The compiled patterns of a module, and those that its functions name in place."""
    module = importlib.import_module(name)
    found = set(patterns_in(dict(vars(module))))
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        is_call = isinstance(node, ast.Call) and ast.unparse(node.func).startswith("re.")
        if is_call and node.args and isinstance(node.args[0], ast.Constant):
            found.add(re.compile(node.args[0].value))
    return sorted(found, key=lambda pattern: str(pattern.pattern))


def unsafe_repeats(tree):
    """Repeats of a group without a limit that give back what they have taken."""
    for operation, argument in tree:
        if operation in (_constants.MAX_REPEAT, _constants.MIN_REPEAT):
            _, most, body = argument
            if most == _constants.MAXREPEAT and (len(body) > 1 or body[0][0] not in ONE_CHARACTER):
                yield str(body)
        yield from (fault for part in parts_of(argument) for fault in unsafe_repeats(part))


def parts_of(argument):
    if isinstance(argument, _parser.SubPattern):
        yield argument
    elif isinstance(argument, list | tuple):
        for item in argument:
            yield from parts_of(item)


def is_safe(pattern):
    flags = pattern.flags & ~(re.UNICODE | re.DEBUG)
    return not list(unsafe_repeats(_parser.parse(pattern.pattern, flags)))


@pytest.mark.parametrize("module", MODULES)
def test_checked_module_has_patterns(module):
    assert patterns_of(module)


@pytest.mark.parametrize("module", MODULES)
def test_no_pattern_repeats_a_group_without_limit_and_gives_it_back(module):
    assert [each.pattern for each in patterns_of(module) if not is_safe(each)] == []


@pytest.mark.parametrize(
    "pattern", [r"(?:a |b )*c", r"(?:a+)+", r"(?:x(?:ab|c)*?y)?", r"(?=(?:a )*b)"]
)
def test_check_finds_an_unsafe_repeat(pattern):
    assert not is_safe(re.compile(pattern))


@pytest.mark.parametrize("pattern", [r"(?:a |b )*+c", r"a+b*", r"(?:a ){0,4}b", r"(?>(?:a )*+)b"])
def test_check_passes_a_safe_repeat(pattern):
    assert is_safe(re.compile(pattern))


def test_tokens_repeated_is_refused_in_time_by_every_pattern():
    patterns = [pattern for module in MODULES for pattern in patterns_of(module)]
    assert len(patterns) > 40
    for token in {*TOKENS[::200], *DIGITS}:
        text = f"{token} " * (400 // len(token)) + "zebra"
        with cpu_limit(0.5):
            for pattern in patterns:
                pattern.search(text if isinstance(pattern.pattern, str) else text.encode())


@pytest.mark.parametrize(
    ("words", "locale"),
    [
        ("stop ", "en"), ("2 ", "en"), ("all ", "en"), ("u ", "en"), ("add ", "en"),
        ("no more ", "en"), ("end of the ", "en"), ("yes it came ", "en"), ("esta bien ", "es"),
        ("ya llego ", "es"), ("نعم ممتاز ", "ar"), ("by 3, ", "en"), ("stop. ", "en"), ("“", "en"),
        ("let me ", "en"), ("i'll ", "en"), ("> on ", "en"), ("schrieb ", "en"), ("*", "en"),
        ("<div ", "en"), ("\n\n ", "en"), (" ,", "en"), ("http://", "en"), ("a", "en"),
    ],
)  # fmt: skip
def test_longest_text_is_read_in_time(words, locale):
    """Twenty milliseconds are meant; the limit is above, for a slow machine.

    Twice the text takes about twice the time, whatever the machine.
    """
    times = AppointmentTimeParser("UTC", "en-US", OFFICE.now)
    readers = [
        lambda text: classify(text, Question.NONE, locale).kind in IntentKind,
        times.read,
        NamedTimeParser("UTC", "en-US", OFFICE.now).read,
        lambda text: extract_commitments(text, OFFICE),
        lambda text: parse_promise_line(text, OFFICE),
        strip_quoted_text,
        html_to_text,
    ]
    for reader in readers:
        half = cpu_seconds(reader, pump(words, MAX_READ_LENGTH // 2))
        with cpu_limit(0.75):
            whole = cpu_seconds(reader, pump(words, MAX_READ_LENGTH))
        assert whole <= 3 * half + INTENDED_SECONDS


def pump(words, length):
    return (words * length)[: length - 6] + " zebra"


def cpu_seconds(reader, text):
    """The least CPU time of three readings."""
    taken = []
    for _ in range(3):
        begun = time.process_time()
        reader(text)
        taken.append(time.process_time() - begun)
    return min(taken)


@pytest.mark.parametrize(
    ("start", "run"),
    [("<", "a"), ("</", "a"), ("<a", ":"), ("<a ", "b"), ("<!", "-"), ("<!--", "-"), ("", "<a")],
)
def test_mark_up_that_never_ends_is_read_in_time(start, run):
    with cpu_limit(1):
        html_to_text(start + run * 200_000)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(TOKENS), max_size=250), st.sampled_from(["en", "es", "ar"]))
def test_any_text_of_listed_words_is_read_in_time(words, locale):
    text = " ".join(words)[:MAX_READ_LENGTH]
    with cpu_limit(0.5):
        classify(text, Question.NONE, locale)
        extract_commitments(text, OFFICE)


def test_numbers_in_a_row_answer_nothing():
    text = " ".join(str(number) for number in range(1, 31)) + " boxes"
    with cpu_limit(0.3):
        assert classify(text).kind in (IntentKind.OTHER, IntentKind.ASK_BACK)


def test_longer_text_than_is_read_is_a_stop_or_goes_to_staff():
    assert classify("yes " * 501 + "but it is broken").kind == IntentKind.OTHER
    assert classify("Stop texting me. " + "I am cross. " * 200).kind == IntentKind.STOP
    assert classify("Yes" + "\n" * 2_000 + "No, it is broken").kind == IntentKind.OTHER
    assert classify("👍" + " " * 2_000 + "no it broke").kind == IntentKind.OTHER
    assert classify("START" + "." * 2_000 + "ing to worry, call me").kind == IntentKind.OTHER


@pytest.mark.parametrize("said", ["STOP", "Stopall", "🛑"])
def test_stop_before_text_that_is_not_read_is_a_stop_and_no_keyword(said):
    """Twilio answers a keyword only where it is the whole text."""
    intent = classify(said + "." * 2_000 + "and call me about the rest")
    assert intent.kind == IntentKind.STOP
    assert not intent.is_keyword
    assert intent.needs_reading
