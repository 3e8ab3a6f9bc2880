"""Refusals that a person may read: each carries its HTTP status and a kind sentence."""

from portal.i18n.lazy_string import LazyString


class PortalError(Exception):
    """An expected refusal. It changes nothing; desk, pages, API and commands all show its text.

    ``status`` is the HTTP status (RFC 9110), ``title`` a short name of the kind of refusal and
    ``detail`` one whole sentence for the person who asked (RFC 9457's members of the same names).
    """

    status: int = 400
    title: str = LazyString("This could not be done")

    def __init__(self, detail: str, *, fields: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.fields = fields or {}

    @property
    def headers(self) -> dict[str, str]:
        """The headers of an HTTP response with this refusal."""
        return {}


class BadInput(PortalError):
    """What was sent cannot be used; ``fields`` names the place and the remedy for each mistake."""

    status = 422
    title: str = LazyString("Please check what you sent")


class NotFound(PortalError):
    """There is no such thing, or it is not for this person: the two look the same."""

    status = 404
    title: str = LazyString("Not found")


class UnknownLink(NotFound):
    """A tracking link opens nothing: it is unknown or revoked, which look the same."""

    def __init__(self) -> None:
        super().__init__(LazyString("This link does not open anything."))


class NotAllowed(PortalError):
    """The person is known, but this is not theirs to do."""

    status = 403
    title: str = LazyString("Not allowed")


class RateLimited(PortalError):
    """Somebody tries again and again. ``retry_after``: seconds until another try may be allowed."""

    status = 429
    title: str = LazyString("A little slower, please")

    def __init__(self, detail: str, *, retry_after: int = 60) -> None:
        super().__init__(detail)
        self.retry_after = retry_after

    @property
    def headers(self) -> dict[str, str]:
        """Retry-After (RFC 9110, 10.2.3)."""
        return {"Retry-After": str(self.retry_after)}


class Conflict(PortalError):
    """The rules do not allow it in the current state."""

    status = 409
    title: str = LazyString("Not possible as things stand")


class VersionConflict(Conflict):
    """The request has changed since the page or response was made (``version`` is old)."""

    title: str = LazyString("It has changed meanwhile")


class Busy(PortalError):
    """Too much of the same kind is being done; the same call succeeds later."""

    status = 503
    title: str = LazyString("Just a moment")

    def __init__(self) -> None:
        super().__init__(LazyString("A lot is coming in right now. Please try again in a minute."))


class SettingsError(Exception):
    """A setting is wrong, missing or incomplete; the message is one sentence that names it."""
