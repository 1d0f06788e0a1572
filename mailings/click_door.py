"""Where clicks come in before Django does: they are most of the traffic after a mailing, and each needs very little.

A click is answered from memory and written down a moment later, together with the others of that moment. The price is
a window: a web process that is killed, or a machine that fails, loses the clicks of its last quarter of a second. The
reader comes where he wanted either way, and a process that is asked to stop writes down what it has.
"""

from __future__ import annotations

import atexit
import logging
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.conf import settings
from django.db import Error, connection
from django.urls import reverse
from django.utils.encoding import iri_to_uri

from common.time import clock
from common.tokens import BadToken
from mailings.actions.clicks import Arrival, record_hits
from mailings.links import read_click_token
from mailings.machines import reason_of_click
from mailings.models import Link

log = logging.getLogger(__name__)

FLUSH_SECONDS = 0.2
MOST_WAITING = 50_000  # more than this waits only while the database is away; then Django answers, and says so
BATCH = 5000
MAILINGS_KNOWN = 500

Start = Callable[..., Any]
App = Callable[[dict[str, Any], Start], Iterable[bytes]]


class ClickDoor:
    """WSGI: answers clicks on links of mailings, and leaves everything else to ``app``.

    That includes what it does not understand: forged tokens, links that are gone, mails without the mailing in their
    links. Django has a page for those.
    """

    def __init__(self, app: App) -> None:
        self.app = app
        self.prefix = reverse("mailings:click", args=["-"])[:-1]
        self.headers = [
            ("Content-Type", "text/html; charset=utf-8"),
            ("Content-Length", "0"),
            ("Cache-Control", "no-store"),
            ("Referrer-Policy", "no-referrer"),
            ("X-Robots-Tag", "noindex"),
        ]
        if settings.SECURE_HSTS_SECONDS:
            self.headers.append(("Strict-Transport-Security", f"max-age={settings.SECURE_HSTS_SECONDS}"))
        self._targets: OrderedDict[int, Mapping[int, str]] = OrderedDict()
        self._waiting: deque[Arrival] = deque()
        self._lock = threading.Lock()
        self._writer: threading.Thread | None = None
        self._is_over = threading.Event()

    def __call__(self, environ: dict[str, Any], start_response: Start) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path.startswith(self.prefix) and (target := self._follow(environ, path[len(self.prefix) :])):
            start_response("302 Found", [("Location", target), *self.headers])
            return [b""]
        return self.app(environ, start_response)

    def _follow(self, environ: dict[str, Any], token: str) -> str:
        """Return where the link leads, after noting that it was followed; empty when that is not for us to say."""
        method = environ.get("REQUEST_METHOD", "")
        if method not in {"GET", "HEAD"} or len(self._waiting) >= MOST_WAITING:
            return ""
        try:
            message_id, position, mailing_id = read_click_token(token)
        except (BadToken, ValueError):
            return ""
        try:
            target = self._targets_of(mailing_id).get(position, "") if mailing_id else ""
        except Error:
            connection.close()  # no signal of Django's does it here; Django answers this one
            return ""
        if target:
            self._waiting.append(Arrival(message_id, position, clock(), reason_of_click(method, _Headers(environ))))
            if self._writer is None:
                self._begin()
        return target

    def _targets_of(self, mailing_id: int) -> Mapping[int, str]:
        """Return position -> address of a mailing's links, which never change once it has begun."""
        known = self._targets.get(mailing_id)
        if known is None:
            links = Link.objects.filter(mailing=mailing_id).values_list("position", "url")
            known = {position: iri_to_uri(url) or "" for position, url in links}
            if known:
                self._targets[mailing_id] = known
            while len(self._targets) > MAILINGS_KNOWN:
                self._targets.popitem(last=False)
        return known

    def _begin(self) -> None:
        """Start writing, in this process: gunicorn makes copies of itself, and a thread is not copied along."""
        with self._lock:
            if self._writer is None:
                self._writer = threading.Thread(target=self._write, name="clicks", daemon=True)
                self._writer.start()
                atexit.register(self.stop)

    def _write(self) -> None:
        while not self._is_over.wait(FLUSH_SECONDS):
            self.flush()
        connection.close()

    def stop(self) -> None:
        """Write down what waits, and no more after that."""
        self._is_over.set()
        if self._writer:
            self._writer.join()
        self.flush()

    def flush(self) -> None:
        """Write down what waits; what the database does not take waits on."""
        with self._lock:
            while self._waiting:
                batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
                try:
                    record_hits(batch)
                except Error:
                    self._waiting.extendleft(reversed(batch))
                    log.warning("clicks wait: the database is away")
                    connection.close()
                    return


class _Headers(dict[str, str]):
    """The headers of a WSGI request by their own names."""

    def get(self, name: str, default: str = "") -> str:  # type: ignore[override]
        return str(super().get("HTTP_" + name.upper().replace("-", "_"), default))
