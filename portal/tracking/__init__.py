"""The customers' pages: the status page behind the link, and the pages around it."""

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
from portal.tracking.status_page.endpoints import (
    StatusPageEndpoint,
    StatusPageStream,
    show_unknown_link,
)
from portal.tracking.verification import endpoints

__all__ = ["StatusPageCache", "routes", "show_outage", "show_unknown_link"]

routes = [
    Route("/r/{token}", StatusPageEndpoint(), methods=["GET"]),
    Route("/r/{token}/live", StatusPageStream(), methods=["GET"]),
    Route(
        "/r/{token}/messages",
        messages.post_message,
        methods=["POST"],
        middleware=[
            Middleware(attachments.UploadSizeLimit, on_too_large=messages.reject_oversized)
        ],
    ),
    Route("/r/{token}/files/{id:int}", attachments.show_file, methods=["GET"]),
    Route("/r/{token}/answers", messages.post_answer, methods=["POST"]),
    Route("/r/{token}/language", language.switch_language, methods=["POST"]),
    Route("/r/{token}/preferences", preferences.show_preferences, methods=["GET"]),
    Route("/r/{token}/preferences", preferences.save_preferences, methods=["POST"]),
    Route("/r/{token}/code", endpoints.show_code_form, methods=["GET"]),
    Route("/r/{token}/code", endpoints.submit_code, methods=["POST"]),
    Route("/r/{token}/forget", endpoints.forget_browser, methods=["POST"]),
    Route("/r/{token}/mine", my_requests.show_my_requests, methods=["GET"]),
    Route("/r/{token}/replace", replace_link.show_form, methods=["GET"]),
    Route("/r/{token}/replace", replace_link.submit, methods=["POST"]),
    Route("/r/{token}/unsubscribe", unsubscribe.show_form, methods=["GET"]),
    Route("/r/{token}/unsubscribe", unsubscribe.unsubscribe, methods=["POST"]),
    Route("/r/{token}/appointment.ics", exports.send_calendar, methods=["GET"]),
    Route("/r/{token}/manifest.webmanifest", exports.show_manifest, methods=["GET"]),
    Route("/r/{token}/paper", exports.show_printable_link, methods=["GET"]),
    Route("/r/{token}/qr.svg", exports.show_qr, methods=["GET"]),
    Route("/", find_request.show_form, methods=["GET"]),
    Route("/", find_request.send_link, methods=["POST"]),
    Route("/robots.txt", robots.show_robots, methods=["GET"]),
]
