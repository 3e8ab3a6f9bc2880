"""What customers see: the page behind the link, and finding the way to it."""

from starlette.middleware import Middleware
from starlette.routing import Route

from portal.tracking import files, finding, preferences, unsubscribing, writing
from portal.tracking.kept import StatusPages
from portal.tracking.status import ShowStatus, WatchStatus

__all__ = ["StatusPages", "routes"]

routes = [
    Route("/r/{token}", ShowStatus(), methods=["GET"]),
    Route("/r/{token}/live", WatchStatus(), methods=["GET"]),
    Route(
        "/r/{token}/messages",
        writing.write,
        methods=["POST"],
        middleware=[Middleware(files.RoomForFiles, otherwise=writing.refuse_as_too_large)],
    ),
    Route("/r/{token}/files/{id:int}", files.show_file, methods=["GET"]),
    Route("/r/{token}/answers", writing.reply, methods=["POST"]),
    Route("/r/{token}/preferences", preferences.show, methods=["GET"]),
    Route("/r/{token}/preferences", preferences.save, methods=["POST"]),
    Route("/r/{token}/unsubscribe", unsubscribing.ask, methods=["GET"]),
    Route("/r/{token}/unsubscribe", unsubscribing.unsubscribe, methods=["POST"]),
    Route("/", finding.ask, methods=["GET"]),
    Route("/", finding.send_link, methods=["POST"]),
]
