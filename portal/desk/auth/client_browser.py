"""The browser of a call, as the record of sign-ins names it: roughly, so that it tells little."""

import ipaddress
import re

from starlette.requests import Request

from portal.operations.accounts import Client
from portal.web.client_address import client_address

# The first that matches counts: Edge and Opera also call themselves Chrome, and Chrome Safari.
BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/|FxiOS/", "Firefox"),
    ("Chrome/|CriOS/", "Chrome"),
    ("Safari/", "Safari"),
)
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X|Macintosh", "Mac"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)
IPV4_PREFIX, IPV6_PREFIX = 24, 48


def client_of(request: Request) -> Client:
    """The label of the browser and its network."""
    return Client(
        browser_label(request.headers.get("user-agent", "")), network_of(client_address(request))
    )


def browser_label(user_agent: str) -> str:
    """As in "Firefox on Windows"; "Another browser" where neither is known."""
    browser = _first(BROWSERS, user_agent) or "Another browser"
    system = _first(SYSTEMS, user_agent)
    return f"{browser} on {system}" if system else browser


def network_of(address: str) -> str:
    """The network of an IP address, as in "192.0.2.0/24"; empty for what is no address."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return ""
    prefix = IPV4_PREFIX if ip.version == 4 else IPV6_PREFIX
    return str(ipaddress.ip_network((ip, prefix), strict=False))


def _first(names: tuple[tuple[str, str], ...], user_agent: str) -> str:
    return next((name for pattern, name in names if re.search(pattern, user_agent)), "")
