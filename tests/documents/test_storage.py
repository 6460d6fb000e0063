"""Tests of the file store: addressed by content, durable locally, the same behaviour for every kind of store."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from obstore.store import S3Store

from workflow.core.errors import NotFound
from workflow.documents.storage import (
    FileStore,
    WrongContent,
    exists,
    key_for,
    local_copy,
    open_store,
    put_file,
    read_bytes,
    read_stream,
)

DATA = b"reopening " * 100_000
SHA256 = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source"
    path.write_bytes(DATA)
    return path


@pytest.fixture(params=["file", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> FileStore:
    return open_store((tmp_path / "文件 store").as_uri() if request.param == "file" else "memory://")


def test_what_is_put_comes_back(store: FileStore, source: Path) -> None:
    key = put_file(store, source, SHA256)
    assert key == key_for(SHA256) == f"sha256/{SHA256[:2]}/{SHA256[2:4]}/{SHA256}"
    assert exists(store, key)
    assert read_bytes(store, key) == DATA
    chunks = list(read_stream(store, key))
    assert b"".join(chunks) == DATA
    with local_copy(store, key) as path:
        assert path.read_bytes() == DATA
    assert source.exists()


def test_the_same_content_is_stored_once(store: FileStore, source: Path) -> None:
    assert put_file(store, source, SHA256) == put_file(store, source, SHA256)
    assert read_bytes(store, key_for(SHA256)) == DATA


def test_what_is_not_there(store: FileStore) -> None:
    key = key_for("0" * 64)
    assert not exists(store, key)
    with pytest.raises(NotFound):
        read_stream(store, key)
    with pytest.raises(NotFound), local_copy(store, key):
        pass


def test_content_that_does_not_match_its_hash_is_not_stored(store: FileStore, source: Path) -> None:
    with pytest.raises(WrongContent):
        put_file(store, source, "0" * 64)
    assert not exists(store, key_for("0" * 64))
    if store.folder is not None:
        assert [path for path in store.folder.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("bad", ["", "../../etc/passwd", SHA256.upper(), SHA256 + "0"])
def test_only_a_hash_is_an_address(bad: str) -> None:
    with pytest.raises(ValueError, match="SHA-256"):
        key_for(bad)


def test_local_content_is_flushed_before_it_is_renamed_and_the_folders_after(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store((tmp_path / "files").as_uri())
    events: list[str] = []
    flush, rename = os.fsync, Path.replace

    def flushed(handle: int) -> None:
        target = Path(os.readlink(f"/proc/self/fd/{handle}"))
        events.append("folder " + target.name if target.is_dir() else "content")
        flush(handle)

    def renamed(self: Path, target: Path) -> Path:
        events.append("rename")
        return rename(self, target)

    monkeypatch.setattr(os, "fsync", flushed)
    monkeypatch.setattr(Path, "replace", renamed)
    put_file(store, source, SHA256)
    first, second = SHA256[:2], SHA256[2:4]
    assert events == ["folder files", "folder sha256", f"folder {first}", "content", "rename", f"folder {second}"]


def test_a_crash_while_copying_leaves_no_content(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store((tmp_path / "files").as_uri())

    def fails(handle: int) -> None:
        if not Path(os.readlink(f"/proc/self/fd/{handle}")).is_dir():
            raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(OSError, match="disk full"):
        put_file(store, source, SHA256)
    assert [path for path in (tmp_path / "files").rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("url", ["", "files", "http://x.example/a", "file:///", "file://host/a", "s3://", "ftp://x/y"])
def test_addresses_that_are_no_store(url: str) -> None:
    with pytest.raises(ValueError, match="address"):
        open_store(url)


def test_s3_compatible_services_are_opened_by_address() -> None:
    store = open_store("s3://fugong/files?endpoint=http://127.0.0.1:9&region=cn-east-1")
    assert isinstance(store.objects, S3Store)
    assert store.folder is None
    with pytest.raises(ValueError, match="unknown settings"):
        open_store("s3://fugong/files?secret_access_key=x")
