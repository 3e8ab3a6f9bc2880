"""Carriers of parcels by name, and the addresses of their tracking pages.

``carriers.toml`` has those that Kept knows; a setting adds others.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote, urlsplit

from portal.toml_file import read_toml_file

SHIPPED_FILE = Path(__file__).with_name("carriers.toml")
PLACEHOLDER = "{number}"
URL_REMEDY = 'Write an https address with the number in it: "https://carrier.example/{number}".'
MAX_NAME_LENGTH = 80
MAX_URL_LENGTH = 500


@dataclass(frozen=True, slots=True)
class Carrier:
    """A carrier: its name as customers know it, other names for it, and its tracking page."""

    name: str
    aliases: Sequence[str] = ()
    url: str = ""

    def tracking_url(self, number: str) -> str:
        """The address of this number's page; "" where there is none."""
        return fill_url(self.url, number)


@dataclass(frozen=True)
class Carriers:
    """Carriers by each of their names. Of two with one name the last counts."""

    carriers: tuple[Carrier, ...] = ()

    @classmethod
    def read(cls, path: Path) -> Self:
        """The carriers of a TOML file, added to the shipped ones.

        Raises OSError where it cannot be read, and ValueError with the end of a sentence where
        it says nothing usable.
        """
        return cls((*shipped_carriers().carriers, *_read_carriers(read_toml_file(path))))

    def find(self, name: str) -> Carrier | None:
        """The carrier of that name or alias, however it is cased, spaced and hyphenated."""
        wanted = _comparable(name)
        for carrier in reversed(self.carriers):
            if wanted and wanted in map(_comparable, (carrier.name, *carrier.aliases)):
                return carrier
        return None

    def name_of(self, name: str) -> str:
        """The name as customers know it, of a name or alias; an unknown one as it is."""
        carrier = self.find(name)
        return carrier.name if carrier else name

    def tracking_url(self, name: str, number: str, template: str = "") -> str:
        """The tracking page of a number: by the template where there is one, else the carrier's.

        "" where neither is known.
        """
        if template:
            return fill_url(template, number)
        carrier = self.find(name)
        return carrier.tracking_url(number) if carrier else ""


def tracking_key(number: str) -> str:
    """A tracking number as it is compared: letters and digits only, in upper case."""
    return "".join(letter for letter in number.upper() if letter.isalnum())[:64]


def fill_url(template: str, number: str) -> str:
    """The template with the number in it, percent-encoded (RFC 3986); "" where either is empty."""
    if not template or not number:
        return ""
    return template.replace(PLACEHOLDER, quote("".join(number.split()), safe=""))


def is_url_template(template: str) -> bool:
    """Whether it is an https address that names a host and holds the number behind it."""
    try:
        parts = urlsplit(template)
        is_address = parts.scheme == "https" and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return (
        is_address
        and "@" not in parts.netloc
        and PLACEHOLDER not in parts.netloc
        and PLACEHOLDER in template
        and template.isascii()
        and not set(template.replace(PLACEHOLDER, "")) & set(' \\"<>{}|^`')
        and template.isprintable()
    )


@cache
def shipped_carriers() -> Carriers:
    """The carriers that come with Kept."""
    document = read_toml_file(SHIPPED_FILE)
    return Carriers(tuple(_read_carriers(document)))


def _read_carriers(document: dict[str, Any]) -> Iterable[Carrier]:
    tables = document.get("carriers")
    if not isinstance(tables, list) or set(document) != {"carriers"}:
        raise ValueError("must name a file of [[carriers]] tables.")
    for number, table in enumerate(tables, 1):
        yield _read_carrier(number, table)


def _read_carrier(number: int, table: Any) -> Carrier:
    """One table. Raises ValueError that names it."""
    if not isinstance(table, dict) or not set(table) <= {"name", "aliases", "url"}:
        raise ValueError(f"has a carrier {number} with other keys than name, aliases and url.")
    name, aliases, url = table.get("name"), table.get("aliases", []), table.get("url")
    if not _is_name(name):
        raise ValueError(f"has a carrier {number} without a name of at most 80 letters.")
    if not isinstance(aliases, list) or not all(map(_is_name, aliases)):
        raise ValueError(f"has a carrier {name} whose aliases are no list of names.")
    if not isinstance(url, str) or len(url) > MAX_URL_LENGTH or not is_url_template(url):
        raise ValueError(f"has a carrier {name} without a usable url. {URL_REMEDY}")
    return Carrier(str(name), tuple(aliases), url)


def _is_name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value.strip()) <= MAX_NAME_LENGTH


def _comparable(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())
