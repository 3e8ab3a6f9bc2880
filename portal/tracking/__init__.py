"""What customers see: the page behind the link, and finding the way to it."""

from starlette.middleware import Middleware
from starlette.routing import Route

from portal.tracking import (
    codes,
    files,
    finding,
    mine,
    preferences,
    replacing,
    robots,
    speaking,
    taking_along,
    unsubscribing,
    writing,
)
from portal.tracking.kept import StatusPages
from portal.tracking.outage import show_outage
from portal.tracking.status import ShowStatus, WatchStatus

__all__ = ["StatusPages", "routes", "show_outage"]

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
    Route("/r/{token}/language", speaking.switch, methods=["POST"]),
    Route("/r/{token}/preferences", preferences.show, methods=["GET"]),
    Route("/r/{token}/preferences", preferences.save, methods=["POST"]),
    Route("/r/{token}/code", codes.show, methods=["GET"]),
    Route("/r/{token}/code", codes.take, methods=["POST"]),
    Route("/r/{token}/forget", codes.forget, methods=["POST"]),
    Route("/r/{token}/mine", mine.show, methods=["GET"]),
    Route("/r/{token}/replace", replacing.ask, methods=["GET"]),
    Route("/r/{token}/replace", replacing.replace, methods=["POST"]),
    Route("/r/{token}/unsubscribe", unsubscribing.ask, methods=["GET"]),
    Route("/r/{token}/unsubscribe", unsubscribing.unsubscribe, methods=["POST"]),
    Route("/r/{token}/appointment.ics", taking_along.send_calendar, methods=["GET"]),
    Route("/r/{token}/manifest.webmanifest", taking_along.show_manifest, methods=["GET"]),
    Route("/r/{token}/paper", taking_along.show_on_paper, methods=["GET"]),
    Route("/r/{token}/qr.svg", taking_along.show_qr, methods=["GET"]),
    Route("/", finding.ask, methods=["GET"]),
    Route("/", finding.send_link, methods=["POST"]),
    Route("/robots.txt", robots.show_robots, methods=["GET"]),
]
