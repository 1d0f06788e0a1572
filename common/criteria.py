"""The shape of an audience criterion; every app adds its own in a module ``criteria.py``.

A criterion is one question about a customer ("has the label X", "borrowed at least N times since …"). It lives on the
ground floor so that customers may declare some as well; the language that combines them is in ``selections``.
"""

from __future__ import annotations

import datetime as dt
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from pydantic import BaseModel, ConfigDict

from common.registry import Registry

if TYPE_CHECKING:
    from django.db.models import Q
    from django.utils.functional import _StrPromise


class Params(BaseModel):
    """What the marketeer filled in; JSON-serialisable, unknown keys refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Criterion(ABC):
    """One question about a customer. Pure: runs no query and reads no clock."""

    code: ClassVar[str]
    group: ClassVar[str | _StrPromise]
    label: ClassVar[str | _StrPromise]
    params: ClassVar[type[Params]]
    form: ClassVar[type[forms.Form]]  # cleaned_data, made JSON-serialisable, is the params

    @abstractmethod
    def to_q(self, params: Any, *, now: dt.datetime) -> Q:
        """Return the condition over ``customers.Customer`` (sub-queries for anything to-many, never a join)."""

    @abstractmethod
    def sentence(self, params: Any) -> str:
        """Return the criterion in words, in the active language, to stand inside a longer sentence."""


criteria: Registry[Criterion] = Registry("criterion")
