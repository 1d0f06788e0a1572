"""The two kinds of error the product raises on purpose; anything else is a bug and may crash."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


class Refused(Exception):  # noqa: N818 - reads as a decision, not as a fault
    """A rule of the house forbids it.

    ``code`` is stable and machine-readable (API: 409/422 body); ``message`` is translated, says what is wrong and
    what to do about it; ``field`` names the input it belongs to, when there is one.
    """

    def __init__(self, code: str, message: str | _StrPromise, *, field: str | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.field = field

    def __str__(self) -> str:
        return str(self.message)


class DeliveryFailed(Exception):  # noqa: N818
    """The outside world said no: ``permanent`` stops and marks the address, otherwise it is tried again later."""

    def __init__(self, reason: str, *, permanent: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.permanent = permanent
