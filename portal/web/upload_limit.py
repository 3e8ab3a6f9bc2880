"""The limit of a body that brings one file, from staff or another system."""

from starlette.types import ASGIApp, Receive, Scope, Send

from portal.web.body_limit import BodyLimit

OTHER_FIELDS_BYTES = 64_000
"""Bytes for what comes beside the file."""
BASE64_EXPANSION = 4 / 3
"""Bytes of base64 for each byte of a file (RFC 4648)."""


class UploadLimit:
    """Allows a body of one file of ``KEPT_MAX_UPLOAD_BYTES``, each taking ``expansion`` bytes.

    Raises BodyTooLarge.
    """

    def __init__(self, app: ASGIApp, expansion: float = 1.0) -> None:
        self._app = app
        self._expansion = expansion

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one call."""
        most: int = scope["app"].state.settings.max_upload_bytes
        limit = int(most * self._expansion) + OTHER_FIELDS_BYTES
        await BodyLimit(self._app, limit)(scope, receive, send)
