"""Keeps files by their content: a local folder or an S3-compatible bucket, the SHA-256 being the address."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import parse_qsl, unquote, urlsplit

import obstore
from obstore.exceptions import NotFoundError
from obstore.store import LocalStore, MemoryStore, ObjectStore, S3Store

from workflow.core.errors import NotFound

_SHA256 = re.compile(r"[0-9a-f]{64}")
_CHUNK = 1 << 18
#: Settings that an ``s3://`` address may carry; secrets come from the environment (AWS_ACCESS_KEY_ID …), never
#: from here.
_S3_SETTINGS = frozenset({"endpoint", "region", "virtual_hosted_style_request"})


class WrongContent(ValueError):
    """The file does not have the hash it was handed in under: it changed, or the disk did."""


@dataclass(frozen=True, slots=True)
class FileStore:
    """An open store: ``objects`` reads (and writes, when remote); ``folder`` is set when files lie on this
    machine."""

    objects: ObjectStore
    folder: Path | None = None


def open_store(url: str) -> FileStore:
    """Open the store at ``url``; ValueError for an address that is none.

    ``file:///var/lib/fugong/files`` makes the folder when missing; ``s3://bucket/prefix?endpoint=…&region=…`` is any
    S3-compatible service with the usual AWS_* environment; ``memory://`` forgets everything (tests).
    """
    parts = urlsplit(url)
    if parts.scheme == "file" and parts.netloc in ("", "localhost") and len(parts.path) > 1:
        folder = Path(unquote(parts.path))
        folder.mkdir(parents=True, exist_ok=True, mode=0o750)
        return FileStore(LocalStore(folder), folder)
    if parts.scheme == "s3" and parts.netloc:
        return FileStore(_open_s3(parts.netloc, parts.path.strip("/"), parts.query))
    if parts.scheme == "memory":
        return FileStore(MemoryStore())
    raise ValueError("a file store address begins with file:///, s3:// or memory://")


def _open_s3(bucket: str, prefix: str, query: str) -> S3Store:
    settings = dict(parse_qsl(query, strict_parsing=True)) if query else {}
    if unknown := set(settings) - _S3_SETTINGS:
        raise ValueError(f"unknown settings of the file store: {', '.join(sorted(unknown))}")
    endpoint = settings.get("endpoint")
    return S3Store(
        bucket,
        prefix=prefix or None,
        client_options={"allow_http": bool(endpoint and endpoint.startswith("http://"))},
        virtual_hosted_style_request=settings.get("virtual_hosted_style_request", "false") == "true",
        **{name: settings[name] for name in ("endpoint", "region") if name in settings},  # type: ignore[arg-type]
    )


def key_for(sha256: str) -> str:
    """Return the key of the content with this hash; ValueError when it is not 64 lower-case hexadecimal digits."""
    if not _SHA256.fullmatch(sha256):
        raise ValueError("not a SHA-256 in lower-case hexadecimal")
    return f"sha256/{sha256[:2]}/{sha256[2:4]}/{sha256}"


def put_file(store: FileStore, path: Path, sha256: str) -> str:
    """Store the file at ``path`` and return its key; the same content twice is stored once.

    When this returns, the content is durable: locally it is written beside its place, flushed, renamed, and
    the folder flushed too, since neither obstore nor the operating system promises that by itself.
    :class:`WrongContent` when the bytes are not those of ``sha256``; nothing is stored then.
    """
    key = key_for(sha256)
    if store.folder is not None:
        _put_local(store.folder, key, path, sha256)
    elif not exists(store, key):
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != sha256:
                raise WrongContent(key)
        obstore.put(store.objects, key, path)
    return key


def exists(store: FileStore, key: str) -> bool:
    """Say whether the store holds ``key``."""
    try:
        obstore.head(store.objects, key)
    except (FileNotFoundError, NotFoundError):
        return False
    return True


def remove(store: FileStore, key: str) -> None:
    """Delete the content; nothing happens when it is gone already."""
    if store.folder is not None:
        (store.folder / key).unlink(missing_ok=True)
    elif exists(store, key):
        obstore.delete(store.objects, key)


def read_stream(store: FileStore, key: str) -> Iterator[bytes]:
    """Return the content in chunks; :class:`NotFound` is raised here, before the first chunk is asked for."""
    try:
        found = obstore.get(store.objects, key)
    except (FileNotFoundError, NotFoundError):
        raise NotFound from None
    return (bytes(chunk) for chunk in found.stream(min_chunk_size=_CHUNK))


def read_bytes(store: FileStore, key: str) -> bytes:
    """Return the whole content; for files that are known to be small."""
    return b"".join(read_stream(store, key))


@contextmanager
def local_copy(store: FileStore, key: str) -> Iterator[Path]:
    """Give a path to the content for parsers that need one; a temporary copy when the store is remote."""
    if store.folder is not None:
        path = store.folder / key
        if not path.is_file():
            raise NotFound
        yield path
        return
    with tempfile.NamedTemporaryFile(prefix="fugong-") as copy:
        for chunk in read_stream(store, key):
            copy.write(chunk)
        copy.flush()
        yield Path(copy.name)


def _put_local(folder: Path, key: str, source: Path, sha256: str) -> None:
    target = folder / key
    if target.exists():
        return
    _make_folders(folder, target.parent)
    handle, name = tempfile.mkstemp(prefix=".put-", dir=target.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as copy, source.open("rb") as original:
            if _copy(original, copy) != sha256:
                raise WrongContent(key)
            copy.flush()
            os.fsync(copy.fileno())
        temporary.chmod(0o640)
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync_folder(target.parent)


def _copy(original: IO[bytes], copy: IO[bytes]) -> str:
    """Copy and return the SHA-256 of what was copied."""
    digest = hashlib.sha256()
    while chunk := original.read(_CHUNK):
        digest.update(chunk)
        copy.write(chunk)
    return digest.hexdigest()


def _make_folders(root: Path, folder: Path) -> None:
    """Make ``folder`` below ``root`` and flush each parent that got a new entry."""
    missing = [level for level in (folder, *folder.parents) if level.is_relative_to(root) and not level.exists()]
    for level in reversed(missing):
        level.mkdir(exist_ok=True, mode=0o750)
        _sync_folder(level.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
