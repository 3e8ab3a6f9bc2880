"""The demo: a customer's phone, status page and desk on one page. Only `kept demo` serves it."""

from starlette.routing import BaseRoute, Route

from portal.demo.page.endpoints import (
    DemoStream,
    reply,
    restart,
    run_action,
    show_demo,
    show_desk,
    show_thread,
)
from portal.desk.auth.access import allow_anonymous

# fmt: off
routes: list[BaseRoute] = [
    Route("/demo",             allow_anonymous(show_demo)),
    Route("/demo/thread",      allow_anonymous(show_thread)),
    Route("/demo/desk",        allow_anonymous(show_desk)),
    Route("/demo/live",        DemoStream(), methods=["GET"]),
    Route("/demo/reply",       allow_anonymous(reply), methods=["POST"]),
    Route("/demo/restart",     allow_anonymous(restart), methods=["POST"]),
    Route("/demo/{verb:path}", allow_anonymous(run_action), methods=["POST"]),
]
# fmt: on
