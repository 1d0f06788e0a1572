"""Ask whether a page is there, for the links in a mail; what stands in a closed network is not asked anything.

The name is looked up once and the connection made to that very address, so that no name can lead to a public address
when it is judged and to one inside when it is used; redirects are followed by the same rules.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from http.client import HTTPConnection, HTTPException, HTTPResponse  # noqa: TID251 - this is the place
from typing import NamedTuple
from urllib.parse import quote, urljoin, urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

SECONDS = 8  # for one step
MOST_SECONDS = 15  # for one answer, however slowly it trickles in
MOST_REDIRECTS = 5
# Servers that know no HEAD, or dislike it, answer a GET.
_RATHER_GET = 400
_UNICAST = ipaddress.ip_network("2000::/3")


class Answer(NamedTuple):
    """What an address answered: ``status`` is None without an answer; ``words`` say what there was instead."""

    status: int | None
    words: str
    is_internal: bool = False


def is_public(address: str) -> bool:
    """Whether an IP address lies on the internet, for everybody."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    if isinstance(found, ipaddress.IPv6Address) and (found.sixtofour or found not in _UNICAST):
        return False  # 6to4, NAT64 and site-local addresses may lead inside
    return found.is_global and not found.is_multicast


def look_up(url: str, *, may_ask: Callable[[str], bool] = is_public) -> Answer:
    """Return what a web address answers, after redirects; never raises for what a network or server can do.

    ``may_ask`` judges the IP address before anything is sent to it.
    """
    for _hop in range(MOST_REDIRECTS + 1):
        answer, onward = _ask(url, may_ask)
        if not onward:
            return answer
        try:
            url = urljoin(url, onward)
        except ValueError:
            return Answer(None, _("this is not a web address"))
    return Answer(None, _("it leads on and on to other addresses"))


def _ask(url: str, may_ask: Callable[[str], bool]) -> tuple[Answer, str]:
    """Return the answer of one address, and where it leads on to."""
    try:
        parts = urlsplit(url)
        port, host = parts.port or (443 if parts.scheme == "https" else 80), parts.hostname or ""
        host = host.encode("idna").decode() if not host.isascii() else host
    except (ValueError, UnicodeError):
        return Answer(None, _("this is not a web address")), ""
    if parts.scheme not in {"http", "https"} or not host:
        return Answer(None, _("this is not a web address")), ""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = [str(one[4][0]) for one in found]
        if not all(may_ask(address) for address in addresses):
            return Answer(None, _("an address in a closed network"), is_internal=True), ""
        target = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._") + (
            f"?{quote(parts.query, safe='/?%:@!$&()*+,;=~-._[]')}" if parts.query else ""
        )
        line = _Line(host, port, addresses[0], is_tls=parts.scheme == "https")
        status, reason, onward = _head(line, target)
    except socket.gaierror:
        return Answer(None, _("there is no server of that name")), ""
    except ssl.SSLCertVerificationError:
        return Answer(None, _("its certificate is not valid")), ""
    except TimeoutError:
        return Answer(None, _("it takes too long")), ""
    except (OSError, HTTPException, UnicodeError) as error:
        return Answer(None, str(error)[:200] or type(error).__name__), ""
    return Answer(status, f"{status} {reason}".strip()), onward if 300 <= status < 400 else ""


class _Line(HTTPConnection):
    """A connection to one address under a name."""

    def __init__(self, host: str, port: int, address: str, *, is_tls: bool) -> None:
        super().__init__(host, port, timeout=SECONDS)
        self.address, self.is_tls = address, is_tls
        self.default_port = 443 if is_tls else 80

    def connect(self) -> None:
        """Connect to the address that was judged, never to what the name means by now."""
        self.sock = socket.create_connection((self.address, self.port), SECONDS)
        if self.is_tls:
            self.sock = ssl.create_default_context().wrap_socket(self.sock, server_hostname=self.host)


def _head(line: _Line, target: str) -> tuple[int, str, str]:
    """Return status, reason and onward address; asked with HEAD, and with GET when that is not liked."""
    for method in ("HEAD", "GET"):
        with _answer(line, method, target) as answer:
            status, reason, onward = answer.status, answer.reason, answer.getheader("Location") or ""
        if status < _RATHER_GET:
            break
    return status, reason, onward


@contextlib.contextmanager
def _answer(line: _Line, method: str, target: str) -> Iterator[HTTPResponse]:
    """Ask, and hang up after a while, also on who sends a byte now and then. The body is not read."""
    headers = {
        "User-Agent": f"Mozilla/5.0 (compatible; wise-marketing link check; +{settings.BASE_URL})",
        "Accept": "text/html,*/*",
        "Accept-Encoding": "identity",
        "Connection": "close",
    }
    clock = threading.Timer(MOST_SECONDS, _hang_up, [line])
    clock.daemon = True
    clock.start()
    try:
        line.request(method, target, headers=headers)
        yield line.getresponse()
    finally:
        clock.cancel()
        line.close()


def _hang_up(line: _Line) -> None:
    with contextlib.suppress(OSError):
        if line.sock:
            line.sock.shutdown(socket.SHUT_RDWR)
