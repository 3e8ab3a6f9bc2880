"""Keeps a customer's link apart from what follows it.

Phones and mail programs take a bracket, a full stop or the next word into a link.
"""

import re

from portal.models.requests.tracking_link import TOKEN_LENGTH


def space_after_links(text: str, public_url: str) -> str:
    """The text with a space after each customer's link that something else follows."""
    if "/r/" not in text:
        return text
    link = rf"({re.escape(public_url)}/r/[\w-]{{{TOKEN_LENGTH}}})(?=[^\s/?#])"
    return re.sub(link, r"\1 ", text, flags=re.ASCII)
