"""Attachments at the desk: who may see those of a request, and who has."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.requests import Request
from starlette.responses import Response

from portal import business_time
from portal.attachments.responses import file_response
from portal.desk.auth.access import id_in_path
from portal.desk.auth.current_staff import CurrentStaff
from portal.desk.request.conversation.view_models import AttachmentEntry
from portal.messaging.wording.time_format import TimeFormatter
from portal.models import Attachment, ServiceRequest
from portal.models.columns import saved_id
from portal.operations.privacy.attachment_reads import record_attachment_read
from portal.queries.attachments import (
    find_request_of_attachment,
    get_attachment,
    reads_by_attachment,
    was_read_on,
)
from portal.queries.staff import led_departments
from portal.rules.authorization import Act, authorize, is_allowed
from portal.rules.colleague import Colleague


async def show_file(request: Request, reader: CurrentStaff) -> Response:
    """`GET /desk/files/{id}`; ``?small`` for the preview of the conversation.

    For those who have a part in the request, and for leads and managers. The read is recorded,
    once for each person, file and day.
    """
    attachment_id, staff_id = id_in_path(request, "file"), saved_id(reader.staff)
    async with request.app.state.database.reading() as session:
        attachment = await get_attachment(session, attachment_id)
        service_request = await find_request_of_attachment(session, attachment)
        colleague = await _with_leads(session, reader)
        today = business_time.now().date()
        is_recorded = await was_read_on(session, attachment_id, staff_id, today)
    authorize(colleague, service_request, None, Act.READ_FILES)
    response = file_response(request, attachment.stored_file)
    if not is_recorded:
        async with request.app.state.operations.begin(reader.staff.actor) as uow:
            await record_attachment_read(uow, attachment_id)
    return response


@dataclass(frozen=True, slots=True)
class AttachmentPresenter:
    """Presents the files of one request. ``reads`` is loaded for managers alone."""

    times: TimeFormatter
    may_read: bool
    reads: Mapping[int, list[tuple[str, datetime]]] = field(default_factory=dict)

    def entry(self, attachment: Attachment) -> AttachmentEntry:
        """One file; without its name and bytes for who may not see it."""
        if not self.may_read:
            return AttachmentEntry(is_hidden=True)
        reads = [
            f"{name} ({self.times.since(at)})"
            for name, at in self.reads.get(saved_id(attachment), ())
        ]
        return AttachmentEntry(
            f"/desk/files/{attachment.id}",
            attachment.stored_file,
            attachment.reason,
            read_by=f"Seen by {', '.join(reads)}" if reads else "",
        )


async def load_attachment_presenter(
    session: AsyncSession,
    reader: CurrentStaff,
    request: ServiceRequest,
    files: Iterable[list[Attachment]],
    times: TimeFormatter,
) -> AttachmentPresenter:
    """What presents these files to this reader."""
    attachments = [attachment for of_message in files for attachment in of_message]
    if not attachments:
        return AttachmentPresenter(times, may_read=False)
    colleague = await _with_leads(session, reader)
    reads = await reads_by_attachment(session, attachments) if reader.staff.manages_all else {}
    return AttachmentPresenter(times, is_allowed(colleague, request, None, Act.READ_FILES), reads)


async def _with_leads(session: AsyncSession, reader: CurrentStaff) -> Colleague:
    return replace(reader.colleague, leads=await led_departments(session, saved_id(reader.staff)))
