"""Text messages over HTTP: one POST each, in the form that a provider wants, which the setting SMS_API describes.

A request that was not answered may have been carried out, so it is in doubt; 429 and 503 say that it was not. What
says that we ask in the wrong way or place (3xx, 401, 404) puts the mailing on pause: nothing is lost.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from http.client import (  # noqa: TID251 - this is the place
    HTTPConnection,
    HTTPException,
    HTTPSConnection,
    InvalidURL,
)
from typing import Any
from urllib.parse import urlencode, urlsplit

from mailings.delivery.envelope import DEFERRED, FAILED, IN_DOUBT, SENT
from mailings.delivery.texts.base import Text, TextOutcome
from mailings.sms.events import Words

CONNECT_SECONDS, ANSWER_SECONDS = 10, 30
CONNECTIONS = 8
MOST_ANSWER = 65_536  # bytes of an answer that are read
_AGAIN = {425, 429, 503}
_REFUSES_US = {401, 402, 403, 404, 405, 407, 410, 415}  # whoever the message is for
_WRONG_SETTING = (ValueError, TypeError, InvalidURL)
_BODY = {"to": "{to}", "from": "{from}", "text": "{text}", "reference": "{reference}"}


@dataclass(frozen=True)
class Api:
    """How a provider is asked. In ``body`` {to}, {digits} (the number without +), {from}, {text} and {reference} are
    filled in, at any depth; ``is_form`` posts it as a form instead of JSON. ``id`` is where its answer holds the
    reference: names and numbers with dots between, ``messages.0.id``.
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = field(default_factory=lambda: dict(_BODY))
    is_form: bool = False
    id: str = "id"
    words: Words = field(default_factory=Words)


class RestProvider:
    """Posts messages, some at the same time, each over a connection of its own."""

    name = "HTTP"
    at_once = CONNECTIONS

    def __init__(self, api: Api) -> None:
        self.api = api

    def send(self, texts: Sequence[Text]) -> list[TextOutcome]:
        """Post these and wait for all answers."""
        with ThreadPoolExecutor(max_workers=CONNECTIONS) as pool:
            return list(pool.map(self._post, texts))

    def _post(self, text: Text) -> TextOutcome:
        try:
            with closing(self._line()) as line:
                told = self._ask(line, text)
        except _WRONG_SETTING as error:  # no such address or header can be written, so nothing was
            words = f"SMS_API: {_words(error)}"
            return TextOutcome(text.message_id, DEFERRED, words, reached=False, pause=True)
        return told if isinstance(told, TextOutcome) else self._outcome(text.message_id, *told)

    def _ask(self, line: HTTPConnection, text: Text) -> TextOutcome | tuple[int, bytes]:
        """Return status and body of the answer, or what became of a message that got none."""
        body, headers = self._request(text)
        try:
            line.connect()
        except OSError as error:
            return TextOutcome(text.message_id, DEFERRED, _words(error), reached=False, is_unreachable=True)
        line.sock.settimeout(ANSWER_SECONDS)
        try:
            line.request("POST", self._path(), body, headers)
        except OSError as error:
            return TextOutcome(text.message_id, IN_DOUBT, _words(error))
        try:
            answer = line.getresponse()
            return answer.status, answer.read(MOST_ANSWER)
        except (OSError, HTTPException, ValueError) as error:
            return TextOutcome(text.message_id, IN_DOUBT, _words(error))

    def _line(self) -> HTTPConnection:
        parts = urlsplit(self.api.url)
        make = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        return make(parts.hostname or "", parts.port, timeout=CONNECT_SECONDS)

    def _path(self) -> str:
        parts = urlsplit(self.api.url)
        return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")

    def _request(self, text: Text) -> tuple[bytes, dict[str, str]]:
        given = {
            "{to}": text.number,
            "{digits}": text.number.lstrip("+"),
            "{from}": text.sender,
            "{text}": text.text,
            "{reference}": str(text.message_id),
        }
        filled = _filled(self.api.body, given)
        kind = "application/x-www-form-urlencoded" if self.api.is_form else "application/json"
        body = urlencode(filled, doseq=True) if self.api.is_form else json.dumps(filled)
        return body.encode(), {"Content-Type": kind, "User-Agent": "wise-marketing", **self.api.headers}

    def _outcome(self, message_id: int, status: int, body: bytes) -> TextOutcome:
        words = f"{status} {' '.join(body.decode('utf-8', 'replace').split())}"[:300]
        if status // 100 == 2:
            return TextOutcome(message_id, SENT, words, reference=_found(body, self.api.id))
        if status in _AGAIN:
            return TextOutcome(message_id, DEFERRED, words)
        if status in _REFUSES_US or status // 100 == 3:
            return TextOutcome(message_id, DEFERRED, words, reached=False, pause=True)
        if status // 100 == 4:
            return TextOutcome(message_id, FAILED, words)
        return TextOutcome(message_id, IN_DOUBT, words)


def _filled(template: Any, given: Mapping[str, str]) -> Any:
    """Return the template with its places filled in; a value never becomes part of a key or of JSON itself."""
    if isinstance(template, dict):
        return {name: _filled(value, given) for name, value in template.items()}
    if isinstance(template, list):
        return [_filled(value, given) for value in template]
    return given.get(template, template) if isinstance(template, str) else template


def _found(body: bytes, path: str) -> str:
    """Return what stands at a path of a JSON answer; empty when nothing does."""
    try:
        value = json.loads(body)
        for name in path.split("."):
            value = value[int(name)] if isinstance(value, list) else value[name]
    except (ValueError, LookupError, TypeError, RecursionError):
        return ""
    words = str(value) if isinstance(value, str | int) else ""
    return "".join(sign for sign in words if sign.isprintable())[:80]


def _words(error: Exception) -> str:
    return (str(error) or type(error).__name__)[:200]
