"""A copy of everything about one person, as JSON and files."""

import asyncio
import io
import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from sqlmodel import SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from portal import business_time
from portal.attachments.file_store import FileStore
from portal.errors import BadInput
from portal.models import (
    Actor,
    Attachment,
    Consent,
    Contact,
    ContactPoint,
    Customer,
    Event,
    FollowUp,
    Handoff,
    Message,
    Need,
    PersonRequest,
    Promise,
    PushSubscription,
    ServiceRequest,
    ShareLink,
    StageRun,
    TrackingLink,
    TrustedDevice,
    VerificationCode,
)
from portal.models.columns import saved_id
from portal.operations.privacy import export_records as records
from portal.operations.privacy.admins import require_admin
from portal.operations.privacy.person_requests import complete_exports
from portal.operations.unit_of_work import Operations
from portal.paths import make_private_folder
from portal.queries.person import PersonScope, find_person
from portal.queries.requests import REQUEST_OPTIONS

JSON_NAME = "person.json"
CHUNK = 500


@dataclass(frozen=True, slots=True)
class PersonExport:
    """The JSON document, and the stored files with the names that it gives them."""

    document: dict[str, Any]
    files: Sequence[tuple[str, Path]]

    def write(self, target: Path) -> None:
        """Write a folder, or a zip file where the name ends in ``.zip``; readable by us alone.

        It gets its name when all of it is written; else nothing is left. Raises BadInput where
        there is something of that name already, or it cannot be written.
        """
        if target.exists() and not (target.is_dir() and not any(target.iterdir())):
            raise BadInput(f"{target} exists already: please give another name.")
        try:
            if target.suffix == ".zip" and not target.is_dir():
                self._write_file(target)
            else:
                self._write_folder(target)
        except OSError as error:
            raise BadInput(f"{target} cannot be written: {error.strerror}.") from error

    def write_zip(self, target: IO[bytes]) -> None:
        """Write a zip file."""
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(JSON_NAME, self._text())
            for name, path in self._present_files():
                archive.write(path, name)

    def _write_file(self, target: Path) -> None:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")  # mode 0600
        draft = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                self.write_zip(file)
            draft.rename(target)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise

    def _write_folder(self, target: Path) -> None:
        is_new = not target.exists()
        make_private_folder(target.parent)
        # In a folder that is there: it may be on a disk of its own.
        place = target.parent if is_new else target
        draft = Path(tempfile.mkdtemp(dir=place, prefix=f".{target.name}."))  # mode 0700
        try:
            (draft / "files").mkdir(mode=0o700)
            _write_private(draft / JSON_NAME, io.BytesIO(self._text().encode()))
            for name, path in self._present_files():
                with path.open("rb") as source:
                    _write_private(draft / name, source)
            if is_new:
                draft.rename(target)
                return
            target.chmod(0o700)
            for path in draft.iterdir():
                path.rename(target / path.name)
            draft.rmdir()
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise

    def _present_files(self) -> Iterator[tuple[str, Path]]:
        return ((name, path) for name, path in self.files if path.is_file())

    def _text(self) -> str:
        return json.dumps(self.document, ensure_ascii=False, indent=2) + "\n"


def _write_private(path: Path, source: IO[bytes]) -> None:
    path.touch(mode=0o600)
    with path.open("wb") as target:
        shutil.copyfileobj(source, target)


async def export_person(
    operations: Operations,
    actor: Actor,
    address: str,
    names: Collection[str],
    write: Callable[[PersonExport], None],
) -> PersonExport:
    """Give ``write`` the copy of ``collect_export``, in a thread, as it blocks.

    When it has returned, the person's requests for a copy are done. Raises what ``collect_export``
    and ``write`` raise.
    """
    export, scope = await collect_export(operations, actor, address, names)
    await asyncio.to_thread(write, export)
    async with operations.begin(actor) as uow:
        await complete_exports(uow, scope)
    return export


async def collect_export(
    operations: Operations, actor: Actor, address: str, names: Collection[str]
) -> tuple[PersonExport, PersonScope]:
    """Everything of the person at this phone number or e-mail address.

    Whoever has given it to them completes their requests for it (``complete_exports``). Raises
    NotAllowed, and as ``find_person`` does.

    Of colleagues the copy has the names, as the customer's own pages do; of other customers
    nothing. Tracking links are masked: the document may travel where a link must not.
    """
    settings = operations.settings
    store = FileStore(settings.files_dir, settings.max_upload_bytes)
    async with operations.database.reading() as session:
        await require_admin(session, actor)
        scope = await find_person(session, address, names)
        return await PersonReader(session, scope, store).read(business_time.now()), scope


class PersonReader:
    """Reads what a scope covers."""

    def __init__(self, session: AsyncSession, scope: PersonScope, store: FileStore) -> None:
        self._session = session
        self._scope = scope
        self._store = store

    async def read(self, now: datetime) -> PersonExport:
        """The whole export, with the time (UTC) that it was made."""
        scope = self._scope
        query = select(Message).where(scope.messages).order_by(col(Message.id))
        messages = (await self._session.exec(query)).all()
        attachments = await self._of(
            Attachment, "message_id", [saved_id(message) for message in messages]
        )
        requests = [await self._request(request_id) for request_id in scope.request_ids]
        own = [address for _, address in scope.own_addresses]
        ledger = select(Consent).where(
            col(Consent.address).in_(own) | col(Consent.request_id).in_(scope.request_ids)
        )
        asked = select(PersonRequest).where(col(PersonRequest.address).in_(own))
        document = {
            "made_at": now.astimezone(UTC).isoformat(timespec="seconds"),
            "times": "Every time is in UTC (ISO 8601).",
            "person": [
                records.person(item) for item in await self._of(Customer, "id", scope.customer_ids)
            ],
            "contact_points": [
                records.contact_point(item)
                for item in await self._of(ContactPoint, "customer_id", scope.customer_ids)
            ],
            "consents": [
                records.consent(item)
                for item in await self._session.exec(ledger.order_by(col(Consent.id)))
            ],
            "requests": requests,
            "messages": [records.message(message) for message in messages],
            "files": [records.attachment(attachment) for attachment in attachments],
            "known_devices": [
                records.device(item)
                for item in await self._of(TrustedDevice, "customer_id", scope.customer_ids)
            ],
            "verification_codes": [
                records.code(item)
                for item in await self._of(VerificationCode, "customer_id", scope.customer_ids)
            ],
            "share_links": [
                records.share_link(item)
                for item in await self._of(ShareLink, "request_id", scope.request_ids)
            ],
            "notified_browsers": [
                records.notified_browser(item)
                for item in await self._of(PushSubscription, "customer_id", scope.customer_ids)
            ],
            "requests_about_personal_data": [
                records.person_request(item)
                for item in await self._session.exec(asked.order_by(col(PersonRequest.id)))
            ],
        }
        links = await self._of(TrackingLink, "request_id", scope.request_ids)
        files = [
            (records.file_name(attachment), self._store.path(attachment.digest))
            for attachment in attachments
            if attachment.digest
        ]
        return PersonExport(records.mask(document, [link.token for link in links]), files)

    async def _request(self, request_id: int) -> dict[str, Any]:
        query = select(ServiceRequest).where(col(ServiceRequest.id) == request_id)
        request = (await self._session.exec(query.options(*REQUEST_OPTIONS))).one()
        ids = [request_id]
        follow_ups = await self._of(FollowUp, "request_id", ids)
        return {
            **records.service_request(request),
            "stages": [
                records.stage_run(item) for item in await self._of(StageRun, "request_id", ids)
            ],
            "handoffs": [
                records.handoff(item) for item in await self._of(Handoff, "request_id", ids)
            ],
            "promises": [
                records.promise(item) for item in await self._of(Promise, "request_id", ids)
            ],
            "questions": [records.follow_up(item) for item in follow_ups],
            "needs": [records.need(item) for item in await self._of(Need, "request_id", ids)],
            "appointments": [
                records.appointment(item) for item in follow_ups if item.answer_at is not None
            ],
            "contacts": [
                records.contact(item) for item in await self._of(Contact, "request_id", ids)
            ],
            "events": [records.event(item) for item in await self._of(Event, "request_id", ids)],
        }

    async def _of(self, table: type[SQLModel], column: str, ids: Sequence[int]) -> list[Any]:
        """The rows of a table whose ``column`` is one of the ids, by id."""
        rows: list[Any] = []
        model: Any = table
        for start in range(0, len(ids), CHUNK):
            query = (
                select(model)
                .where(getattr(model, column).in_(ids[start : start + CHUNK]))
                .order_by(model.id)
            )
            rows.extend((await self._session.exec(query)).all())
        return rows
