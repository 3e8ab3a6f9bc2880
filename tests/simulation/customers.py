"""Made-up customers, each with an address that no other has."""

from portal.demo.sample_data.customers import FIRST_NAMES, LAST_NAMES
from portal.operations import CustomerDetails
from tests.simulation.fake_carrier import Phone
from tests.simulation.faults import Fault, SeededRandom

AREA_CODES = (
    "201", "202", "203", "205", "206", "207", "208", "209", "210", "212", "213", "214", "215",
    "216", "217", "218", "219", "224", "225", "228", "229", "231", "234", "239", "240", "248",
    "251", "252", "253", "254", "256", "260", "262", "267", "269", "270", "276", "281", "301",
    "302", "303", "304", "305", "307", "308", "309", "310", "312", "313", "314", "315", "316",
)  # fmt: skip
"""Each has the hundred numbers 555-0100 to 555-0199, which are kept free for fiction (NANPA)."""
BRITISH = 1_000
"""07700 900000 to 900999 are kept free for it too (Ofcom)."""
ZONES = {"US": ("America/New_York", "America/Chicago", "America/Los_Angeles"), "GB": ()}


def customer(number: int, place: str, dice: SeededRandom) -> CustomerDetails:
    """The customer of the request with that number, in "US" or "GB"; some have mail only."""
    chance = dice.of("customer", number)
    name = f"{chance.choice(FIRST_NAMES)} {chance.choice(LAST_NAMES)}"
    email = f"{name.lower().replace(' ', '.')}.{number}@example.com"
    zone = chance.choice(ZONES[place]) if place == "US" else "Europe/London"
    kind = chance.random()
    if kind < 0.12:
        return CustomerDetails(name, email=email, timezone=zone)
    both = email if kind < 0.5 else None
    return CustomerDetails(name, _phone(number, place), both, timezone=zone)


def shares_phone(number: int, place: str) -> bool:
    """True where there are more customers than numbers: families then, who write on their page."""
    return number >= (BRITISH if place == "GB" else 100 * len(AREA_CODES))


def phone_type(details: CustomerDetails, number: int, dice: SeededRandom) -> Phone:
    """What their number is good for."""
    if details.phone and dice.hit(Fault.UNDELIVERED, 0.03, "phone", number):
        return dice.of("which phone", number).choice((Phone.DEAD, Phone.LANDLINE))
    return Phone.GOOD


def _phone(number: int, place: str) -> str:
    if place == "GB":
        return f"+447700900{number % BRITISH:03d}"
    return f"+1{AREA_CODES[number // 100 % len(AREA_CODES)]}55501{number % 100:02d}"
