"""Addresses as a link alone shows them: links are passed on."""


def mask_address(address: str) -> str:
    """Enough to know one's own."""
    name, at, domain = address.rpartition("@")
    return f"{name[:1]}•••@{domain[:1]}•••" if at else f"•••• {last_digits(address)}"


def last_digits(phone: str) -> str:
    """The end of a number, as it is said: "the number ending in 32"."""
    return phone[-2:]
