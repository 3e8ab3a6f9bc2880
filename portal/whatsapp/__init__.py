"""WhatsApp templates: by which approved content a message goes outside the customer service window.

Twilio names a template by its Content SID and fills its placeholders from ``ContentVariables``.
Source: Twilio's "Send templates created with the Content Template Builder".
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from portal.i18n.languages import LANGUAGE_CODES
from portal.toml_file import read_toml_file

CONTENT_SID = re.compile(r"HX[0-9a-fA-F]{32}")
VARIABLE_NAME = re.compile(r"[A-Za-z0-9_]{1,16}")
"""The name of a placeholder: at most 16 letters and digits, without spaces."""
ANY_KIND = "default"
"""The table of the templates for kinds that have none of their own."""
KINDS = frozenset(
    {
        "milestone", "follow_up", "reminder", "hold", "resumed", "cancelled", "completed",
        "declined", "promise", "delay", "update", "visit", "link", "staff", "acknowledgement",
        "answer", "which", "consent", "offer", "address", "document",
    }
)  # fmt: skip
"""The kinds of messages that may go by a template. A code goes by SMS: it proves the number."""
TEXT = "text"
FIELDS = frozenset({TEXT, "link", "first_name", "title", "reference", "brand"})
"""What a placeholder may be filled with; docs/settings.md describes each."""


@dataclass(frozen=True, slots=True)
class WhatsAppTemplate:
    """An approved template: its Content SID, and the field for each of its placeholders."""

    content_sid: str
    variables: Mapping[str, str] = field(default_factory=dict)

    def can_be_filled(self, fields: Mapping[str, str]) -> bool:
        """Whether each field but the text is there: Twilio refuses an empty variable (21656)."""
        return all(name == TEXT or fields.get(name) for name in self.variables.values())

    def content_variables(self, fields: Mapping[str, str]) -> str:
        """The JSON of ``ContentVariables``; each value in one line, as WhatsApp demands."""
        return json.dumps(
            {key: " ".join(fields[name].split()) for key, name in self.variables.items()},
            ensure_ascii=False,
        )


@dataclass(frozen=True)
class WhatsAppTemplates:
    """Templates by kind of message and language."""

    templates: Mapping[tuple[str, str], WhatsAppTemplate] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Self:
        """The templates of a TOML file: a table for each kind, in it one for each language.

        Raises OSError where it cannot be read, and ValueError with the end of a sentence where
        it says nothing usable.
        """
        return cls(dict(_read_templates(read_toml_file(path))))

    def find(self, kind: str, language: str) -> WhatsAppTemplate | None:
        """The template of the kind in this language, else the default one; never another language's."""
        if kind not in KINDS:
            return None
        return self.templates.get((kind, language)) or self.templates.get((ANY_KIND, language))

    def missing(self, language: str) -> list[str]:
        """The kinds without a template in this language, sorted."""
        return sorted(kind for kind in KINDS if self.find(kind, language) is None)

    @property
    def content_sids(self) -> list[str]:
        """The Content SIDs, each once, sorted."""
        return sorted({template.content_sid for template in self.templates.values()})


def _read_templates(
    document: dict[str, Any],
) -> Iterable[tuple[tuple[str, str], WhatsAppTemplate]]:
    for kind, languages in document.items():
        if kind not in KINDS and kind != ANY_KIND:
            raise ValueError(
                f"has a table [{kind}], which is no kind of message (docs/settings.md)."
            )
        if not isinstance(languages, dict):
            raise ValueError(  # noqa: TRY004 (the end of a sentence about a setting)
                f"needs a language in each table of {kind}, such as [{kind}.en]."
            )
        for language, table in languages.items():
            name = f"[{kind}.{language}]"
            if language not in LANGUAGE_CODES:
                raise ValueError(f"has a table {name}; the languages are en, es and ar.")
            yield (kind, language), _read_template(name, table)


def _read_template(name: str, table: Any) -> WhatsAppTemplate:
    """One table. Raises ValueError that names it."""
    if not isinstance(table, dict) or not set(table) <= {"content_sid", "content_variables"}:
        raise ValueError(f"has other keys in {name} than content_sid and content_variables.")
    sid, variables = table.get("content_sid"), table.get("content_variables", {})
    if not isinstance(sid, str) or not CONTENT_SID.fullmatch(sid):
        raise ValueError(f'needs in {name} a content_sid of "HX" and 32 hexadecimal digits.')
    if not isinstance(variables, dict) or not all(map(VARIABLE_NAME.fullmatch, variables)):
        raise ValueError(
            f"has in {name} a variable whose name is not of 1 to 16 letters or digits."
        )
    for key, value in variables.items():
        if not isinstance(value, str) or value not in FIELDS:
            raise ValueError(
                f"fills variable {key} in {name} with something else than {', '.join(sorted(FIELDS))}."
            )
    return WhatsAppTemplate(sid, variables)
