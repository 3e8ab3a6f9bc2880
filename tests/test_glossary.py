"""docs/glossary.md has every table, and every public class of portal.models and portal.rules."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlmodel import SQLModel

import portal.models  # noqa: F401 (registers the tables)

ROOT = Path(__file__).parents[1]
GLOSSARY = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
WORDS = re.findall(r"^\| `?([^|`]+?)`? \| .+ \|$", GLOSSARY, re.MULTILINE)


def find_public_classes() -> Iterator[str]:
    for room in ("models", "rules"):
        for path in sorted((ROOT / "portal" / room).rglob("*.py")):
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    yield node.name


@pytest.mark.parametrize("name", list(find_public_classes()))
def test_public_class_is_in_the_glossary(name: str) -> None:
    assert name in WORDS


@pytest.mark.parametrize("table", sorted(SQLModel.metadata.tables))
def test_table_is_in_the_glossary(table: str) -> None:
    assert f"Table `{table}` |" in GLOSSARY


def test_each_word_is_in_the_glossary_once() -> None:
    words = [word for word in WORDS if word not in {"word", "---"}]
    assert sorted(words) == sorted(set(words))
