"""The examples in the files of the languages hold, and the files are whole."""

import pytest

from portal.messaging.intents.language import COMMON, FOLDER, LANGUAGES, examples, languages
from portal.messaging.intents.observed import observe
from portal.messaging.intents.phrases import Phrase, PhraseFinder
from portal.messaging.intents.tokens import tokenize

FILES = (COMMON, *LANGUAGES)
QUESTIONS = {"any", "arrival", "decision", "time", "which", "fewer"}


@pytest.mark.parametrize("name", FILES)
def test_each_example_is_found_or_not_as_its_line_says(name):
    wrong = []
    for cue, line, reply in examples(name):
        is_found = not reply.startswith("!")
        observed = observe(
            reply.removeprefix("!"),
            LANGUAGES.get(name, "en"),
            is_choice=cue.startswith("which"),
        )
        if observed.has(cue) != is_found:
            wrong.append(f"{name}: {cue}: {line!r}: {reply!r}")
    assert wrong == []


@pytest.mark.parametrize("name", FILES)
def test_each_phrase_has_an_example_that_it_finds(name):
    shown = {(cue, line) for cue, line, reply in examples(name) if not reply.startswith("!")}
    assert [each for each in examples(name) if each[:2] not in shown] == []
    assert {cue.partition(".")[0] for cue, _ in shown} <= QUESTIONS


def test_every_file_of_the_folder_is_read():
    assert {path.stem for path in FOLDER.glob("*.toml")} == set(FILES)
    assert {language.code for language in languages().values()} == {"en", "es", "ar"}


def test_phrase_that_names_no_list_is_refused():
    with pytest.raises(KeyError):
        PhraseFinder([Phrase("any.yes", "<missing>")], {})


def test_gap_hides_no_word_that_takes_back():
    """In "it came but it is bent" the gap of a phrase may not swallow the "but"."""
    assert not observe("it came but its bent in half", "en").consists_of("arrival.yes")
    assert observe("it came but its bent in half", "en").has("any.condition", "any.trouble")


def test_strangers_texts_do_not_fill_the_memory(monkeypatch):
    monkeypatch.setattr("portal.messaging.intents.phrases.MAX_STATES", 6)
    finder = PhraseFinder([Phrase("any.yes", f"w{number} came ok") for number in range(40)], {})
    for number in range(40):
        words = [f"w{number}", "came", "ok"]
        tokens = tokenize(" ".join(words)).tokens
        assert [match.cues for match in finder.find(tokens, words)] == [{"any.yes"}]
        assert finder.state_count <= 6 + 3 * len(words)
