"""The mails in the mailbox, as their receivers see them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as default_policy
from html.parser import HTMLParser
from pathlib import Path

CODE = re.compile(r"\b[0-9A-HJKMNP-RTV-Z]{4}(?:-[0-9A-HJKMNP-RTV-Z]{4}){2}\b")


class _Addresses(HTMLParser):
    """Collects where links lead and where pictures come from."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.pictures: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "a" and given.get("href"):
            self.links.append(given["href"] or "")
        elif tag == "img" and given.get("src"):
            self.pictures.append(given["src"] or "")


@dataclass(frozen=True)
class Mail:
    """One mail; `number` is its place in order of arrival."""

    number: int
    message: EmailMessage

    @property
    def links(self) -> list[str]:
        """Where its links lead, in order."""
        return self._addresses().links

    @property
    def pictures(self) -> list[str]:
        """The addresses of its pictures."""
        return self._addresses().pictures

    @property
    def voucher_code(self) -> str:
        """The code of the voucher in it, empty when there is none."""
        part = self.message.get_body(("plain",))
        found = CODE.search(str(part.get_content())) if part else None
        return found[0] if found else ""

    @property
    def one_click_url(self) -> str:
        """Where a mail program unsubscribes with one click (RFC 8058), empty when the mail does not offer it."""
        if self.message["List-Unsubscribe-Post"] != "List-Unsubscribe=One-Click":
            return ""
        found = re.search(r"<(https?://[^>]+)>", str(self.message["List-Unsubscribe"] or ""))
        return found[1] if found else ""

    def _addresses(self) -> _Addresses:
        parser = _Addresses()
        part = self.message.get_body(("html",))
        parser.feed(str(part.get_content()) if part else "")
        return parser


def read_mails(folder: Path) -> Iterator[Mail]:
    """Yield the mails in order of arrival."""
    for file in sorted(folder.glob("[0-9]*.eml")):
        message = message_from_bytes(file.read_bytes(), policy=default_policy)
        yield Mail(int(file.stem), message)
