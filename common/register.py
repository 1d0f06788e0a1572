"""Who gets data from us: apps name their recipients in their module ``register`` (autodiscovered), for AVG 30."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from common.registry import Registry

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


@dataclass(frozen=True)
class Recipient:
    """A kind of recipients: what they get, and a function that names those there are now."""

    code: str
    name: str | _StrPromise
    about: str | _StrPromise
    present: Callable[[], Sequence[str]]


recipients: Registry[Recipient] = Registry("recipient")
