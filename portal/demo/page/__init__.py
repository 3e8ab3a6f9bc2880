"""The demonstration: a customer's phone, his page and the desk on one page. Only `kept demo` has it."""

from starlette.routing import BaseRoute, Route

from portal.demo.page.endpoints import (
    LiveScene,
    act,
    reply,
    restart,
    show_demo,
    show_desk,
    show_thread,
)
from portal.desk.auth.access import for_anybody

# fmt: off
routes: list[BaseRoute] = [
    Route("/demo",             for_anybody(show_demo)),
    Route("/demo/thread",      for_anybody(show_thread)),
    Route("/demo/desk",        for_anybody(show_desk)),
    Route("/demo/live",        LiveScene(), methods=["GET"]),
    Route("/demo/reply",       for_anybody(reply), methods=["POST"]),
    Route("/demo/restart",     for_anybody(restart), methods=["POST"]),
    Route("/demo/{verb:path}", for_anybody(act), methods=["POST"]),
]
# fmt: on
