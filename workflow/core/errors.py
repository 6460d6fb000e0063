"""Domain errors: what can go wrong, in words for the reader, with the HTTP status the web layer answers with.

Messages are zh_Hans source texts marked with :func:`N_`; the web layer translates them and fills in ``params``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


def N_(message: str) -> str:  # noqa: N802 - gettext's own name for "mark, don't translate"
    """Mark ``message`` for the translation catalogue and return it unchanged."""
    return message


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something is refused or closed: a zh_Hans text marked with :func:`N_` and what fills its places."""

    message: str
    params: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.message % self.params if self.params else self.message


class DomainError(Exception):
    """Something the domain refuses.

    ``message`` is a zh_Hans text with ``%(name)s`` places, ``params`` fills them; ``status`` is the HTTP status.
    """

    status = 422

    def __init__(self, message: str, /, **params: object) -> None:
        super().__init__(message)
        self.message = message
        self.params: Mapping[str, object] = params

    def __str__(self) -> str:
        return self.message % self.params if self.params else self.message


class NotFound(DomainError):
    """The thing does not exist, or the actor may not know that it does."""

    status = 404

    def __init__(self, message: str = N_("没有找到您要的内容。"), /, **params: object) -> None:
        super().__init__(message, **params)


class NotPermitted(DomainError):
    """The actor is known but has no right to this."""

    status = 403

    def __init__(self, message: str = N_("您没有办理此事项的权限。"), /, **params: object) -> None:
        super().__init__(message, **params)


class Stale(DomainError):
    """The form was drawn from an older version of the row than the one stored now."""

    status = 409

    def __init__(self, message: str = N_("此案件已被他人更新，请查看最新内容后再办理。"), /, **params: object) -> None:
        super().__init__(message, **params)


class StepClosed(DomainError):
    """The step is not open in the present state, or a guard refuses it; ``reasons`` says why."""

    status = 409

    def __init__(self, message: str, /, reasons: tuple[Reason, ...] = (), **params: object) -> None:
        super().__init__(message, **params)
        self.reasons = reasons


class Invalid(DomainError):
    """Input that can be corrected; ``field`` names the form field it belongs to, if one."""

    status = 422

    def __init__(self, message: str, /, field: str | None = None, **params: object) -> None:
        super().__init__(message, **params)
        self.field = field


class Replayed(DomainError):
    """An idempotency key was used again with another body."""

    status = 422

    def __init__(
        self, message: str = N_("这份表单已提交过另一内容，请刷新页面后重新填写。"), /, **params: object
    ) -> None:
        super().__init__(message, **params)
