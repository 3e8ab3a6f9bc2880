"""Masks addresses for browsers that are not trusted."""


def mask_address(address: str) -> str:
    """The address with enough left for its owner to recognize it."""
    name, at, domain = address.rpartition("@")
    return f"{name[:1]}•••@{domain[:1]}•••" if at else f"•••• {last_digits(address)}"


def last_digits(phone: str) -> str:
    """The last two digits, as in "the number ending in 32"."""
    return phone[-2:]
