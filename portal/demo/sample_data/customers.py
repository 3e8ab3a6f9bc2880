"""Made-up customers. Their numbers are reserved for fiction, so no text reaches anybody.

North America: 555-0100 to 555-0199 of each area (NANPA). Britain: 07700 900000 to 900999 (Ofcom).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from random import Random

from portal.operations import CustomerDetails

MARTIN = CustomerDetails(
    "Martin Miller", "+14155550132", "martin@example.com", timezone="America/New_York"
)
MARTHA = CustomerDetails("Martha Miller", MARTIN.phone)
"""Martin's wife; they share a phone."""

FIRST_NAMES = (
    "Amelia", "Andre", "Anja", "Beatriz", "Ben", "Carmen", "Chloe", "Daniel", "Deepa", "Diego",
    "Elif", "Emma", "Erik", "Farah", "Felix", "Gabriel", "Hana", "Hugo", "Ines", "Isaac", "Jasmin",
    "Joan", "Jun", "Kofi", "Laila", "Leo", "Liam", "Lucia", "Marcus", "Marta", "Maya", "Nadia",
    "Nikolai", "Noor", "Nora", "Olivia", "Omar", "Paul", "Priya", "Quinn", "Rachel", "Samuel",
    "Sofia", "Tariq", "Theo", "Vera", "Victor", "Wanda", "Yusuf", "Zoe",
)  # fmt: skip
LAST_NAMES = (
    "Abbott", "Adeyemi", "Ahmed", "Andersson", "Baker", "Banerjee", "Bianchi", "Castillo", "Chen",
    "Clarke", "Cohen", "Costa", "Davies", "Doyle", "Dubois", "Evans", "Fischer", "Foster", "Garcia",
    "Gupta", "Hansen", "Hughes", "Ivanova", "Jackson", "Kaya", "Kim", "Kowalski", "Larsen", "Lopez",
    "Malik", "Marino", "Mensah", "Miller", "Murphy", "Nguyen", "Novak", "Okoye", "Olsen", "Park",
    "Patel", "Pereira", "Reid", "Rossi", "Santos", "Sato", "Schmidt", "Silva", "Taylor", "Walker",
    "Yilmaz",
)  # fmt: skip
SPANISH_NAMES = (
    "Carmen Castillo", "Diego Herrera", "Lucia Romero", "Javier Molina", "Rosa Delgado",
    "Miguel Navarro", "Elena Vargas", "Pablo Serrano",
)  # fmt: skip
ARABIC_NAMES = {
    "ليلى حداد": "layla.haddad", "عمر منصور": "omar.mansour", "سلمى ناصر": "salma.nasser",
    "يوسف خليل": "yusuf.khalil", "مريم فارس": "maryam.faris", "كريم صالح": "karim.saleh",
    "نور عيسى": "nour.issa", "سامي زيدان": "sami.zidan",
}  # fmt: skip
"""American customers who read Spanish or Arabic: two in sixteen each."""
AREA_CODES = ("212", "305", "312", "404", "415", "503", "602", "617", "702", "713", "718", "206")


@dataclass(frozen=True)
class NumberedPerson:
    """A made-up person: the same number is always the same person."""

    name: str
    number: int

    def details_in(self, country: str) -> CustomerDetails:
        """Their details in "US" or "GB": most have a phone, some an e-mail address, some both."""
        name, locale = self._name_and_locale(country)
        email = f"{ARABIC_NAMES.get(name, name.lower().replace(' ', '.'))}@example.com"
        if self.number % 6 == 5:
            return CustomerDetails(name, email=email, locale=locale)
        phone, both = _phone(country, self.number), email if self.number % 3 == 1 else None
        return CustomerDetails(name, phone, both, locale=locale)

    def _name_and_locale(self, country: str) -> tuple[str, str | None]:
        """Their name, and their language where it is not English."""
        kind, which = self.number % 16, self.number // 16 * 2 + self.number % 2
        if country == "US" and kind in (3, 4):
            return SPANISH_NAMES[which % len(SPANISH_NAMES)], "es"
        if country == "US" and kind in (9, 10):
            return tuple(ARABIC_NAMES)[which % len(ARABIC_NAMES)], "ar"
        return self.name, None


def numbered_people(rng: Random) -> Iterator[NumberedPerson]:
    """Endless people. Names repeat after 2,500, phone numbers sooner: families share them."""
    names = [f"{first} {last}" for first in FIRST_NAMES for last in LAST_NAMES]
    rng.shuffle(names)
    first = rng.randrange(1_000)
    return (NumberedPerson(names[number % len(names)], number) for number in count(first))


def _phone(country: str, number: int) -> str:
    if country == "GB":
        return f"+447700900{number % 1000:03d}"
    # From 0133 on: 0132 is Martin's, and 0100 the fake carrier's own.
    return f"+1{AREA_CODES[number % len(AREA_CODES)]}55501{33 + number // len(AREA_CODES) % 67}"


ZONES = ("America/New_York", "America/Chicago", "America/Los_Angeles")
MANY_AREAS = (
    "201", "202", "203", "205", "206", "207", "208", "209", "210", "212", "213", "214", "215",
    "216", "217", "218", "219", "224", "225", "228", "229", "231", "234", "239", "240", "248",
    "251", "252", "253", "254", "256", "260", "262", "267", "269", "270", "276", "281", "301",
    "302", "303", "304", "305", "307", "308", "309", "310", "312", "313", "314", "315", "316",
)  # fmt: skip


def numbered_customer(number: int, country: str, rng: Random) -> CustomerDetails:
    """A customer in "US" or "GB" whose e-mail address nobody shares; some have no phone."""
    name = f"{rng.choice(FIRST_NAMES)} {rng.choice(LAST_NAMES)}"
    email = f"{name.lower().replace(' ', '.')}.{number}@example.com"
    zone = rng.choice(ZONES) if country == "US" else "Europe/London"
    kind = rng.random()
    if kind < 0.12:
        return CustomerDetails(name, email=email, timezone=zone)
    if country == "GB":
        phone = f"+447700900{number % 1_000:03d}"
    else:
        phone = f"+1{MANY_AREAS[number // 100 % len(MANY_AREAS)]}55501{number % 100:02d}"
    return CustomerDetails(name, phone, email if kind < 0.5 else None, timezone=zone)


def shares_phone(number: int, country: str) -> bool:
    """Whether a numbered customer has the phone of another one: there are no more numbers."""
    return number >= (1_000 if country == "GB" else 100 * len(MANY_AREAS))
