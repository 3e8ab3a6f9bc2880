"""The page cache, and status pages read from it."""

from collections.abc import Callable

import pytest
from starlette.applications import Starlette

from portal.models import ServiceRequest
from portal.tracking.status_page.cache import StatusPageCache
from portal.tracking.status_page.view_models import StatusPage
from portal.web import templating


@pytest.fixture
def kept(app: Starlette) -> StatusPageCache:
    pages: StatusPageCache = app.state.status_pages
    return pages


@pytest.fixture
def see(app: Starlette) -> Callable[[ServiceRequest], object]:
    """The page of a request, as it is now; it must also be drawable."""

    async def look(request: ServiceRequest) -> StatusPage:
        assert request.live_link
        page = await app.state.status_pages.build_page(request.live_link.token)
        assert page is not None
        assert page.valid_until > page.now
        assert "<h1" in templating.render("tracking/status_page/status.html", page.context())
        return page  # type: ignore[no-any-return]

    return look
