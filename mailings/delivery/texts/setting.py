"""Which provider carries text messages here, as the environment says."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from django.conf import settings

from mailings.delivery.texts.base import TextProvider
from mailings.delivery.texts.folder import FolderProvider
from mailings.delivery.texts.rest import Api, RestProvider
from mailings.sms.events import Words


def text_provider() -> TextProvider:
    """Return the provider of SMS_API, else the folder SMS_FOLDER."""
    return RestProvider(api_of(settings.SMS_API)) if settings.SMS_API else FolderProvider(settings.SMS_FOLDER)


def provider_words() -> Words:
    """Return how the provider names things in what it reports."""
    return api_of(settings.SMS_API).words if settings.SMS_API else Words()


@lru_cache(maxsize=8)
def api_of(text: str) -> Api:
    """Return what the setting SMS_API describes; raises ValueError when it is not valid.

    JSON: ``url``, and where it differs ``headers``, ``body``, ``form`` (true), ``id`` and ``words`` (lists by the names
    in ``events.Words``).
    """
    told: Any = json.loads(text)
    if not isinstance(told, dict) or not str(told.get("url", "")).startswith(("https://", "http://")):
        raise ValueError("SMS_API")
    try:
        words = {name: _listed(name, values) for name, values in dict(told.pop("words", {})).items()}
        headers = {str(name): str(value) for name, value in dict(told.pop("headers", {})).items()}
        fields = {"is_form" if name == "form" else name: value for name, value in told.items()}
        return Api(**fields | {"id": str(fields.get("id", "id"))}, headers=headers, words=Words(**words))
    except TypeError as error:
        raise ValueError("SMS_API") from error


def _listed(name: str, values: Any) -> tuple[str, ...]:
    """Return words as ``Words`` holds them: states are compared in small letters."""
    found = [values] if isinstance(values, str) else map(str, values)
    return tuple(one.lower() if name in {"arrived", "failed", "gone"} else one for one in found)
