"""A sentence for customers that is translated only where it is shown."""

from typing import Any, Self


class LazyString(str):
    """An English sentence that keeps its message id and fields, so that it can be translated later.

    ``LazyString("It is larger than {most} MB", most=10)`` reads as plain English wherever text is
    wanted; ``Language.say`` translates it. A field may be a LazyString itself; a
    whole number is formatted by the language. Pass literals only: `bin/translate` extracts
    them from the code.
    """

    __slots__ = ("fields", "msgid", "number", "plural")

    msgid: str
    plural: str
    number: int
    fields: dict[str, Any]

    def __new__(cls, msgid: str, /, **fields: Any) -> Self:
        """The sentence in English, with its fields filled in."""
        return cls._make(msgid, "", 1, fields)

    @classmethod
    def pluralized(cls, one: str, many: str, count: int, /, **fields: Any) -> Self:
        """The singular or plural sentence for a number, which both name ``{count}``."""
        return cls._make(one, many, count, {"count": count, **fields})

    @classmethod
    def _make(cls, msgid: str, plural: str, number: int, fields: dict[str, Any]) -> Self:
        template = plural if plural and number != 1 else msgid
        instance = super().__new__(
            cls, fill_fields(template, {k: _english(v) for k, v in fields.items()})
        )
        instance.msgid, instance.plural, instance.number, instance.fields = (
            msgid,
            plural,
            number,
            fields,
        )
        return instance


def fill_fields(sentence: str, fields: dict[str, str]) -> str:
    """The sentence with its fields; without fields, braces are plain characters."""
    return sentence.format(**fields) if fields else sentence


def _english(field: Any) -> str:
    return f"{field:,}" if isinstance(field, int) else str(field)
