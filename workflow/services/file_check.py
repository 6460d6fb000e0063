"""Reads every stored file that the history names and compares it with the hash recorded there: evidence unchanged."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from workflow.core.errors import NotFound
from workflow.data.audit import AuditEntry
from workflow.data.cases import Case
from workflow.data.files import StoredFile
from workflow.data.issued import IssuedDocument
from workflow.documents import storage
from workflow.documents.storage import FileStore
from workflow.extensions import db, settings

_NAMED = ("photo", "signature", "file", "document")
_HASHES = ("sha256", "shown")
CHANGED, MISSING = "its content was changed", "it is missing"


@dataclass(frozen=True, slots=True)
class FileFault:
    """A stored file that is not what was recorded: the case's reference, what it is (``photo 12``), and why."""

    reference: str
    what: str
    sha256: str
    why: str


@dataclass(slots=True)
class Checked:
    """How many different files were read, for the last line of the command."""

    files: int = 0


def _what(after: dict[str, Any]) -> str:
    return next((f"{name} {after[name]}" for name in _NAMED if name in after), "file")


def _named_in_history() -> Iterator[tuple[str, str, str]]:
    """Case reference, what it is, and hash of every file that a row of history names, in the order of the rows."""
    query = (
        select(AuditEntry.after, Case.reference)
        .outerjoin(Case, Case.id == AuditEntry.case_id)
        .order_by(AuditEntry.id)
        .execution_options(yield_per=2000)
    )
    for after, reference in db.session.execute(query):
        for name in _HASHES:
            if isinstance(after.get(name), str):
                yield reference or "-", _what(after), after[name]


def _issued() -> Iterator[tuple[str, str, str]]:
    """The same of the documents that were issued and drawn."""
    query = (
        select(Case.reference, IssuedDocument.id, StoredFile.sha256)
        .join(IssuedDocument, IssuedDocument.case_id == Case.id)
        .join(StoredFile, StoredFile.id == IssuedDocument.file_id)
        .order_by(IssuedDocument.id)
        .execution_options(yield_per=2000)
    )
    for reference, document_id, sha256 in db.session.execute(query):
        yield reference, f"document {document_id}", sha256


def _fault(store: FileStore, sha256: str) -> str | None:
    """Why the stored content is not the one with this hash, or None; read in pieces, never as a whole."""
    try:
        digest = hashlib.sha256()
        for piece in storage.read_stream(store, storage.key_for(sha256)):
            digest.update(piece)
    except (NotFound, ValueError):
        return MISSING
    return None if digest.hexdigest() == sha256 else CHANGED


def faults(checked: Checked | None = None) -> Iterator[FileFault]:
    """Every file that is not what was recorded; each content is read once, however often it is named."""
    store, found = storage.open_store(settings().files_url), dict[str, str | None]()
    for source in (_named_in_history(), _issued()):
        for reference, what, sha256 in source:
            if sha256 not in found:
                found[sha256] = _fault(store, sha256)
                if checked is not None:
                    checked.files += 1
            why = found[sha256]
            if why is not None:
                yield FileFault(reference, what, sha256, why)
