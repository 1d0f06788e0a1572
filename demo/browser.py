"""A small browser for the players: keeps cookies, reads links and forms, and never leaves this machine."""

import urllib.error
import urllib.request
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.client import HTTPMessage
from http.cookiejar import CookieJar
from typing import IO
from urllib.parse import urlencode, urljoin, urlsplit

TIMEOUT = 30
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@dataclass
class Form:
    """A form as the page offers it: where it goes to and what is filled in already."""

    action: str
    method: str
    values: dict[str, list[str]] = field(default_factory=dict)
    choices: dict[str, list[str]] = field(default_factory=dict)
    """What each group of checkboxes, radio buttons or buttons of one name, and each select, offers."""


class _Reader(HTMLParser):
    """Collects forms; text areas and selects included."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._open: Form | None = None
        self._textarea = ""
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = Form(given.get("action", ""), given.get("method", "get").lower())
            self.forms.append(self._open)
        elif self._open is not None:
            self._field(self._open, tag, given)

    def _field(self, form: Form, tag: str, given: dict[str, str]) -> None:
        name = given.get("name", "")
        if tag == "input" and name and "disabled" not in given:
            value = given.get("value", "on" if given.get("type") in ("checkbox", "radio") else "")
            if given.get("type") in ("checkbox", "radio"):
                form.choices.setdefault(name, []).append(value)
                if "checked" not in given:
                    return
            if given.get("type") not in ("submit", "button", "file", "image", "reset"):
                form.values.setdefault(name, []).append(value)
        elif tag == "button" and name:
            form.choices.setdefault(name, []).append(given.get("value", ""))
        elif tag == "textarea":
            self._textarea = name
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select:
            form.choices.setdefault(self._select, []).append(given.get("value", ""))
            if "selected" in given:
                form.values.setdefault(self._select, []).append(given.get("value", ""))

    def handle_data(self, data: str) -> None:
        if self._textarea and self._open is not None:
            self._open.values.setdefault(self._textarea, []).append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        elif tag == "textarea":
            self._textarea = ""
        elif tag == "select":
            self._select = ""


@dataclass
class Page:
    """An answer of the server."""

    url: str
    status: int
    headers: HTTPMessage
    text: str

    @property
    def forms(self) -> list[Form]:
        """The forms of the page, in order."""
        reader = _Reader()
        reader.feed(self.text)
        return reader.forms

    def form_with(self, name: str) -> Form:
        """Return the first form that has a field of this name. Raises LookupError when there is none."""
        for form in self.forms:
            if name in form.values or name in form.choices:
                return form
        raise LookupError(f"no form with the field {name!r} at {self.url} (status {self.status})")


class _StayHere(urllib.request.HTTPRedirectHandler):
    """Follows redirects within the site only; a redirect elsewhere is the answer itself."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        if urlsplit(newurl).netloc != urlsplit(req.full_url).netloc:
            return None
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class Browser:
    """One visitor with its own cookies."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        cookies = urllib.request.HTTPCookieProcessor(CookieJar())
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), cookies, _StayHere())
        self._opener.addheaders = [("User-Agent", AGENT), ("Accept-Language", "nl")]  # programs are told from people

    def get(self, url: str) -> Page:
        """Ask for a page. Raises ValueError for another host: the demo stays on this machine."""
        return self._ask(urllib.request.Request(self._full(url)))

    def post(self, url: str, values: dict[str, list[str]], *, referer: str = "") -> Page:
        """Send a form's values."""
        body = urlencode(values, doseq=True).encode()
        request = urllib.request.Request(self._full(url), data=body)
        if referer:
            request.add_header("Referer", referer)
        return self._ask(request)

    def submit(self, page: Page, form: Form, **values: str | list[str]) -> Page:
        """Send a form with these fields changed; hidden fields, such as the CSRF token, go along."""
        filled = dict(form.values)
        for name, value in values.items():
            filled[name] = value if isinstance(value, list) else [value]
        target = urljoin(page.url, form.action)
        if form.method == "get":
            return self.get(f"{target.partition('?')[0]}?{urlencode(filled, doseq=True)}")
        return self.post(target, filled, referer=page.url)

    def _full(self, url: str) -> str:
        full = urljoin(f"{self.base_url}/", url)
        if urlsplit(full).netloc != urlsplit(self.base_url).netloc:
            raise ValueError(f"{full} is not on {self.base_url}")
        return full

    def _ask(self, request: urllib.request.Request) -> Page:
        try:
            answer = self._opener.open(request, timeout=TIMEOUT)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            return Page(answer.url, answer.status, answer.headers, answer.read().decode("utf-8", "replace"))
