"""A customer with a history that can be erased."""

from pathlib import Path

import httpx2
import pytest
from starlette.applications import Starlette

from portal.models import ServiceRequest
from portal.settings import Settings
from tests.support.factories import Organisation
from tests.support.person_history import live_through


def with_files_and_mail(settings: Settings, tmp_path: Path) -> Settings:
    """These settings with a folder for files, and mail."""
    return settings.model_copy(
        update={
            "files_dir": tmp_path / "data" / "files",
            "smtp_url": "smtp://127.0.0.1:9",
            "mail_from": "Acme Bank <desk@acme.example>",
        }
    )


@pytest.fixture
async def history(
    app: Starlette, api: httpx2.AsyncClient, organisation: Organisation
) -> ServiceRequest:
    """Everything has happened to one customer."""
    return await live_through(app, api, organisation)
