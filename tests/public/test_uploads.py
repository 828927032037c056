"""An upload lives in the memory of the server, and goes when its session is shut down."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartParser
from streamlit import config
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFileRec

from explorer.settings import get_settings
from explorer.ui import lifecycle
from tests.public.visitor import form


@pytest.fixture
def _streamlit_as_it_was() -> Iterator[None]:
    details = config.get_option("client.showErrorDetails")
    spool = MultiPartParser.spool_max_size
    yield
    config.set_option("client.showErrorDetails", details)
    MultiPartParser.spool_max_size = spool


def on_disk(size: int) -> bool:
    """Whether a form with a file of this size goes through a file on the disk."""
    body, kind = form("photo.png", bytes(size))

    async def stream() -> AsyncIterator[bytes]:
        yield body

    parsed = asyncio.run(MultiPartParser(Headers({"content-type": kind}), stream()).parse())
    (found,) = parsed.values()
    assert isinstance(found, UploadFile)
    return not found._in_memory


@pytest.mark.usefixtures("_streamlit_as_it_was")
def test_an_upload_on_its_way_is_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    lifecycle._check_settings()
    assert on_disk(3 * 2**20)  # Starlette's way, which is kept on one's own machine
    monkeypatch.setenv("EXPLORER_PUBLIC", "1")
    get_settings.cache_clear()
    lifecycle._check_settings()
    assert not on_disk(3 * 2**20)
    assert not on_disk(int(config.get_option("server.maxUploadSize")) * 2**20 - 2000)
    assert config.get_option("client.showErrorDetails") == "none"


def test_files_go_with_their_session() -> None:
    manager = MemoryUploadedFileManager("/upload")
    for session in ("one", "two"):
        manager.add_file(session, UploadedFileRec("id", "a.png", "image/png", b"data"))
    manager.remove_session_files("one")
    assert manager.get_files("one", ["id"]) == []
    assert len(manager.get_files("two", ["id"])) == 1
