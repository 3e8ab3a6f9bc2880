"""The carrier's errors: Twilio's codes and the shape in which Twilio puts them.

Source: Twilio's error and warning dictionary, https://www.twilio.com/docs/api/errors.
"""

from typing import Any

API_ERRORS = {
    20001: (400, "A parameter's value is invalid"),
    20003: (401, "Authenticate"),
    20404: (404, "The requested resource was not found"),
    20429: (429, "Too Many Requests"),
    20500: (500, "Internal Server Error"),
    21211: (400, "Invalid 'To' Phone Number"),
    21408: (400, "Permission to send an SMS has not been enabled for this region"),
    21602: (400, "Message body is required"),
    21603: (400, "A 'From' phone number is required"),
    21606: (400, "The 'From' phone number is not one of this account's"),
    21609: (400, "The 'StatusCallback' URL is not a valid URL"),
    21610: (400, "Attempt to send to unsubscribed recipient"),
    21612: (400, "Message cannot be sent with this combination of 'To' and 'From'"),
    21614: (400, "'To' number is not a valid mobile number"),
    21617: (400, "The concatenated message body exceeds the 1600 character limit"),
    21655: (400, "The ContentSid is invalid"),
    21656: (400, "The ContentVariables parameter is invalid"),
    21705: (400, "The Messaging Service Sid is invalid"),
}

DELIVERY_ERRORS = {
    30001: "Queue overflow",
    30003: "Unreachable destination handset",
    30005: "Unknown destination handset",
    30006: "Landline or unreachable carrier",
    30007: "Message filtered",
    30008: "Unknown error",
    30034: "Message from an unregistered number",
    63003: "Channel could not find To address",
    63005: "Channel did not accept given content",
    63007: "Channel could not find the From address",
    63014: "Channel message blocked by user action",
    63016: "Outside the messaging window, and no template",
    63024: "Invalid message recipient",
}


class CarrierError(Exception):
    """The carrier does not take this request. `status` is the HTTP status that goes with `code`."""

    def __init__(self, code: int) -> None:
        self.code = code
        self.status, self.message = API_ERRORS.get(
            code, (400, DELIVERY_ERRORS.get(code, "The carrier refuses this message"))
        )
        super().__init__(f"{code} {self.message}")

    def as_twilio(self) -> dict[str, Any]:
        """The body of the answer."""
        return {
            "code": self.code,
            "message": self.message,
            "more_info": f"https://www.twilio.com/docs/errors/{self.code}",
            "status": self.status,
        }
