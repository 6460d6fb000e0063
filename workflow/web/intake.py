"""Files of a request: received, judged and cleaned before the transaction begins, so that no lock is held meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import IO, Any, TypeVar, cast

from flask import current_app, g, request

from workflow.core.errors import N_, DomainError, Invalid
from workflow.documents.uploads import FileKind, ReceivedFile, receive, take_bytes
from workflow.extensions import settings

MAX_FILES = 20
ORIGINAL, SHOWN = "original", "shown"
"""Where a picture sent as a body waits for its service: the bytes as sent, and our rendering of them."""
Outcome = ReceivedFile | DomainError
View = TypeVar("View", bound=Callable[..., Any])


def takes(kinds: Callable[..., Collection[FileKind]]) -> Callable[[View], View]:
    """Declare which kinds of file a view takes, by its address's values, so that a refusal names just these."""

    def declare(view: View) -> View:
        view.file_kinds = kinds  # type: ignore[attr-defined]
        return view

    return declare


def takes_files() -> bool:
    """Whether the view that was asked for takes files; what is sent to any other is never opened."""
    return hasattr(current_app.view_functions.get(request.endpoint or ""), "file_kinds")


def _kinds_taken() -> Collection[FileKind]:
    view: Any = current_app.view_functions[request.endpoint or ""]
    return cast("Collection[FileKind]", view.file_kinds(**(request.view_args or {})))


def take_in() -> None:
    """Receive every file of the request into the incoming folder; outcomes wait in ``g`` for the view."""
    g.received = {}
    uploads = [(field, f) for field, f in request.files.items(multi=True) if f.filename]
    folder, kinds = _incoming(), _kinds_taken() if uploads else ()
    for number, (field, upload) in enumerate(uploads):
        outcome: Outcome
        try:
            if number >= MAX_FILES:
                raise Invalid(N_("一次最多上传 %(n)s 个文件。"), n=MAX_FILES)
            outcome = receive(
                upload.stream,
                upload.filename or "",
                kinds=kinds,
                max_bytes=settings().max_upload_mb * 1024 * 1024,
                folder=folder,
            )
        except DomainError as error:
            outcome = error
        g.received.setdefault(field, []).append(outcome)


def take_in_picture(sha256: str, kinds: Collection[FileKind], max_bytes: int) -> ReceivedFile:
    """The request's whole body as a picture, as it was sent; it is deleted with the request unless a service keeps it.

    A body that ends early, or with another hash, leaves nothing.
    """
    taken = take_bytes(request.stream, sha256, kinds=kinds, max_bytes=max_bytes, folder=_incoming())
    g.setdefault("received", {}).setdefault(ORIGINAL, []).append(taken)
    return taken


def render_picture(stream: IO[bytes], kinds: Collection[FileKind], max_bytes: int) -> ReceivedFile:
    """Our own rendering of a picture, without anything else that its file carried; kept and deleted as above."""
    shown = receive(stream, "", kinds=kinds, max_bytes=max_bytes, folder=_incoming())
    g.setdefault("received", {}).setdefault(SHOWN, []).append(shown)
    return shown


def _incoming() -> Path:
    folder = settings().var_dir / "incoming"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def received(field: str) -> list[ReceivedFile]:
    """The files that came in ``field``; raises the first refusal, or :class:`Invalid` when there is none at all."""
    outcomes = cast("dict[str, list[Outcome]]", g.get("received", {})).get(field, [])
    for outcome in outcomes:
        if isinstance(outcome, DomainError):
            raise outcome
    if not outcomes:
        raise Invalid(N_("请先选择文件。"), field=field)
    return [o for o in outcomes if isinstance(o, ReceivedFile)]


def sweep() -> None:
    """Delete what was received and not taken over by a service."""
    for outcomes in cast("dict[str, list[Outcome]]", g.pop("received", {})).values():
        for outcome in outcomes:
            if isinstance(outcome, ReceivedFile):
                Path(outcome.path).unlink(missing_ok=True)
