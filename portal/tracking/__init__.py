"""What customers see: the page behind the link, and finding the way to it."""

from starlette.middleware import Middleware
from starlette.routing import Route

from portal.tracking import (
    attachments,
    exports,
    find_request,
    language,
    messages,
    my_requests,
    preferences,
    replace_link,
    robots,
    unsubscribe,
)
from portal.tracking.outage import show_outage
from portal.tracking.status_page.cache import StatusPageCache
from portal.tracking.status_page.endpoints import StatusPageEndpoint, StatusPageStream
from portal.tracking.verification import endpoints

__all__ = ["StatusPageCache", "routes", "show_outage"]

routes = [
    Route("/r/{token}", StatusPageEndpoint(), methods=["GET"]),
    Route("/r/{token}/live", StatusPageStream(), methods=["GET"]),
    Route(
        "/r/{token}/messages",
        messages.write,
        methods=["POST"],
        middleware=[
            Middleware(attachments.UploadSizeLimit, on_too_large=messages.reject_oversized)
        ],
    ),
    Route("/r/{token}/files/{id:int}", attachments.show_file, methods=["GET"]),
    Route("/r/{token}/answers", messages.reply, methods=["POST"]),
    Route("/r/{token}/language", language.switch_language, methods=["POST"]),
    Route("/r/{token}/preferences", preferences.show, methods=["GET"]),
    Route("/r/{token}/preferences", preferences.save, methods=["POST"]),
    Route("/r/{token}/code", endpoints.show, methods=["GET"]),
    Route("/r/{token}/code", endpoints.take, methods=["POST"]),
    Route("/r/{token}/forget", endpoints.forget, methods=["POST"]),
    Route("/r/{token}/mine", my_requests.show, methods=["GET"]),
    Route("/r/{token}/replace", replace_link.ask, methods=["GET"]),
    Route("/r/{token}/replace", replace_link.replace, methods=["POST"]),
    Route("/r/{token}/unsubscribe", unsubscribe.ask, methods=["GET"]),
    Route("/r/{token}/unsubscribe", unsubscribe.unsubscribe, methods=["POST"]),
    Route("/r/{token}/appointment.ics", exports.send_calendar, methods=["GET"]),
    Route("/r/{token}/manifest.webmanifest", exports.show_manifest, methods=["GET"]),
    Route("/r/{token}/paper", exports.show_printable_link, methods=["GET"]),
    Route("/r/{token}/qr.svg", exports.show_qr, methods=["GET"]),
    Route("/", find_request.ask, methods=["GET"]),
    Route("/", find_request.send_link, methods=["POST"]),
    Route("/robots.txt", robots.show_robots, methods=["GET"]),
]
