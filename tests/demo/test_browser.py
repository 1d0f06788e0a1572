import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import pytest

from demo.browser import Browser

FORM = """
<form method="post" action="/send">
  <input type="hidden" name="token" value="abc">
  <input name="code" value="">
  <input type="checkbox" name="labels" value="a" checked><input type="checkbox" name="labels" value="b">
  <select name="branch"><option value="">-</option><option value="PUR" selected>Purmerend</option></select>
  <textarea name="reason">omdat</textarea>
  <button name="go" value="1">Go</button>
</form>
"""


class Site(BaseHTTPRequestHandler):
    """A little site that remembers what it was sent."""

    seen: list[tuple[str, str, dict[str, list[str]]]]

    def do_GET(self) -> None:
        if self.path == "/away":
            self._answer(302, "", Location="https://elsewhere.example.nl/boek")
        elif self.path == "/inside":
            self._answer(302, "", Location="/form")
        elif self.path == "/form":
            self._answer(200, FORM, **{"Set-Cookie": "csrftoken=xyz"})
        else:
            self._answer(404, "weg")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.seen.append((self.headers.get("Cookie", ""), self.headers.get("Referer", ""), parse_qs(body)))
        self._answer(422, "nee")

    def _answer(self, status: int, text: str, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def site() -> Iterator[str]:
    Site.seen = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_form_goes_along_with_its_hidden_fields_cookie_and_referer(site: str) -> None:
    browser = Browser(site)
    page = browser.get("/form")
    answer = browser.submit(page, page.form_with("code"), code="ABCD")
    assert (answer.status, answer.text) == (422, "nee")
    cookie, referer, sent = Site.seen[0]
    assert cookie == "csrftoken=xyz"
    assert referer == f"{site}/form"
    assert sent == {"token": ["abc"], "code": ["ABCD"], "labels": ["a"], "branch": ["PUR"], "reason": ["omdat"]}


def test_choices_of_a_form_are_known(site: str) -> None:
    form = Browser(site).get("/form").form_with("labels")
    assert form.choices == {"labels": ["a", "b"], "branch": ["", "PUR"], "go": ["1"]}


def test_redirects_are_followed_on_the_site_and_never_away_from_it(site: str) -> None:
    browser = Browser(site)
    assert browser.get("/inside").url == f"{site}/form"
    away = browser.get("/away")
    assert away.status == 302
    assert away.headers["Location"] == "https://elsewhere.example.nl/boek"
    with pytest.raises(ValueError, match="is not on"):
        browser.get("https://elsewhere.example.nl/")


def test_missing_page_and_missing_form_are_told(site: str) -> None:
    page = Browser(site).get("/nothing")
    assert page.status == 404
    with pytest.raises(LookupError, match="no form with the field 'code'"):
        page.form_with("code")
