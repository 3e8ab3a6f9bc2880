"""A sentence to customers, said where something happens and put into their language at the edge."""

from typing import Any, Self


class LazyString(str):
    """An English sentence that remembers what it was made of, to be said in another language.

    ``LazyString("It is larger than {most} MB", most=10)`` reads as plain English wherever text is
    wanted; ``Language.say`` says it in the customer's words. A field may be a Sentence itself; a
    whole number is written as the language writes numbers. Literals only: `bin/translate` reads
    them here.
    """

    __slots__ = ("fields", "msgid", "number", "plural")

    msgid: str
    plural: str
    number: int
    fields: dict[str, Any]

    def __new__(cls, msgid: str, /, **fields: Any) -> Self:
        """Say it in English."""
        return cls._make(msgid, "", 1, fields)

    @classmethod
    def counted(cls, one: str, many: str, count: int, /, **fields: Any) -> Self:
        """One of two sentences by how many there are, which both call ``{count}``."""
        return cls._make(one, many, count, {"count": count, **fields})

    @classmethod
    def _make(cls, msgid: str, plural: str, number: int, fields: dict[str, Any]) -> Self:
        chosen = plural if plural and number != 1 else msgid
        made = super().__new__(
            cls, fill_fields(chosen, {k: _english(v) for k, v in fields.items()})
        )
        made.msgid, made.plural, made.number, made.fields = msgid, plural, number, fields
        return made


def fill_fields(sentence: str, fields: dict[str, str]) -> str:
    """The sentence with its fields; braces are only special where there are any fields."""
    return sentence.format(**fields) if fields else sentence


def _english(field: Any) -> str:
    return f"{field:,}" if isinstance(field, int) else str(field)
