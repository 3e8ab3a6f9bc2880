"""The tracking numbers of a request as links, for its e-mails."""

from collections.abc import Sequence

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal.carriers import Carriers
from portal.i18n.languages import language_of
from portal.models import RunState, StageRun
from portal.workflows import WorkflowDefinition


async def load_parcel_links(
    session: AsyncSession, request_id: int, definition: WorkflowDefinition, carriers: Carriers,
    locale: str, *, open_only: bool = True,
) -> Sequence[tuple[str, str]]:  # fmt: skip
    """The label and the address of each number whose tracking page is known, oldest first."""
    query = select(StageRun).where(
        col(StageRun.request_id) == request_id, col(StageRun.tracking_key) != ""
    )
    if open_only:
        query = query.where(col(StageRun.state) == RunState.OPEN)
    language = language_of(locale)
    links = []
    for run in (await session.exec(query.order_by(col(StageRun.id)))).all():
        template = definition.stage(run.stage_key).tracking_url
        url = carriers.tracking_url(run.third_party, run.tracking_number, template)
        label = language.gettext(
            "{carrier}, number {number}", carrier=run.third_party, number=run.tracking_number
        )
        if url:
            links.append((label, url))
    return links
