"""Plays customers and counter staff, as a process of its own that knows only what they would know.

    python -m demo.players --base-url http://localhost:8000 --mailbox .state/mailbox --logins .state/demo-logins.json

It reads the mails in the mailbox and acts on them over HTTP: some are opened, some clicked, some readers unsubscribe
with the one-click POST of RFC 8058, one changes preferences in MijnMenu, and two bring their voucher to the counter,
the first of them twice. Its last line of output is JSON: what was done and what came of it.
"""

import argparse
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from .browser import Browser, Page
from .mails import Mail, read_mails

# Every so many readers do something: counting is easier to check than chance.
OPEN_EVERY, CLICK_EVERY, UNSUBSCRIBE_EVERY = 2, 3, 4
COUNTER = "balie"


class PlayFailed(Exception):  # noqa: N818 -- says what happened
    """The product did not do what a customer may expect."""


@dataclass
class Played:
    """What the players did, as counted by themselves."""

    read: int = 0
    opened: int = 0
    clicked: int = 0
    unsubscribed: int = 0
    preferences: int = 0
    redeemed: int = 0
    refused: int = 0


def expect(page: Page, *statuses: int) -> Page:
    """Return the page. Raises PlayFailed when the server answered with another status."""
    if page.status not in statuses:
        raise PlayFailed(f"{page.url} answered {page.status}")
    return page


class Readers:
    """Those who get the mails."""

    def __init__(self, base_url: str, played: Played) -> None:
        self._base_url = base_url
        self._played = played

    def read_all(self, mails: list[Mail], *, to_counter: list[Mail]) -> None:
        """Let everybody read; prints a dot per mail, for who counts along."""
        others = [mail for mail in mails if mail not in to_counter]
        # Mail arrives in another order each time; by address the same people leave, each once.
        may_leave = {str(mail.message["To"]): mail for mail in others if mail.one_click_url}
        leaving = [may_leave[address] for address in sorted(may_leave)][::UNSUBSCRIBE_EVERY]
        for place, mail in enumerate(mails):
            browser = Browser(self._base_url)
            self._played.read += 1
            if place % OPEN_EVERY == 0:
                self._open(browser, mail)
            if place % CLICK_EVERY == 0:
                self._click(browser, mail)
            print(".", flush=True)
        for mail in leaving:
            self._unsubscribe(mail)
        for mail in [mail for mail in others if mail not in leaving][:1]:
            self._change_preferences(Browser(self._base_url), mail)

    def _open(self, browser: Browser, mail: Mail) -> None:
        """Show the pictures, as a mail program does when its reader allows it."""
        ours = [url for url in mail.pictures if url.startswith(self._base_url)]
        for url in ours:
            expect(browser.get(url), 200)
        self._played.opened += bool(ours)

    def _click(self, browser: Browser, mail: Mail) -> None:
        """Follow the first link that leads away from us, by way of the counter of clicks."""
        for url in mail.links:
            if url.startswith(f"{self._base_url}/m/c/"):
                target = expect(browser.get(url), 302).headers["Location"]
                self._played.clicked += not target.startswith(self._base_url)
                return
        raise PlayFailed(f"mail {mail.number} has no link that counts a click")

    def _unsubscribe(self, mail: Mail) -> None:
        """One POST, without cookies and without a page in between."""
        expect(Browser(self._base_url).post(mail.one_click_url, {"List-Unsubscribe": ["One-Click"]}), 200)
        self._played.unsubscribed += 1

    def _change_preferences(self, browser: Browser, mail: Mail) -> None:
        """Go to MijnMenu by the link in the mail, and choose one label more."""
        url = next((url for url in mail.links if url.startswith(f"{self._base_url}/mijn/")), "")
        if not url:
            raise PlayFailed(f"mail {mail.number} has no link to MijnMenu")
        expect(browser.get(url), 200)
        page = expect(browser.get("/mijn/interesses/"), 200)
        for form in page.forms:
            if name := next((name for name in form.choices if name.startswith("labels")), ""):
                expect(browser.submit(page, form, **{name: form.choices[name][:1]}), 200)
                self._played.preferences += 1
                return
        raise PlayFailed("MijnMenu offers no interests to choose from")


class Counter:
    """A member of staff at the counter, with a browser and a scanner."""

    def __init__(self, base_url: str, played: Played) -> None:
        self._browser = Browser(base_url)
        self._played = played

    def sign_in(self, username: str, password: str) -> None:
        """Log in by the form and choose the branch where this counter stands."""
        page = expect(self._browser.get("/accounts/login/?next=/balie/"), 200)
        page = self._browser.submit(page, page.form_with("password"), username=username, password=password)
        if page.status != 200 or "/accounts/login/" in page.url:
            raise PlayFailed(f"{username} cannot log in")
        form = page.form_with("branch")
        expect(self._browser.submit(page, form, branch=form.choices["branch"][0]), 200)

    def take_in(self, code: str) -> None:
        """Scan a code and, when it is worth something, take it in for a ticket of 24 euros."""
        page = expect(self._browser.get("/balie/"), 200)
        page = expect(self._browser.submit(page, page.form_with("code"), code=code), 200, 409)
        if 'data-outcome="offer"' in page.text:
            page = self._browser.submit(page, page.form_with("confirm"), order_amount="24,00")
            expect(page, 200, 409)
        if 'data-outcome="redeemed"' in page.text:
            self._played.redeemed += 1
        elif 'data-outcome="refused"' in page.text:
            self._played.refused += 1
        else:
            raise PlayFailed(f"the counter does not say what became of a voucher: {page.url}")


def play(base_url: str, mailbox: Path, logins: list[dict[str, str]]) -> Played:
    """Play everybody, readers first; return what was done. Raises PlayFailed."""
    played = Played()
    mails = list(read_mails(mailbox))
    to_counter = [mail for mail in mails if mail.voucher_code][:2]
    Readers(base_url, played).read_all(mails, to_counter=to_counter)
    counter = Counter(base_url, played)
    counter.sign_in(COUNTER, next(login["password"] for login in logins if login["username"] == COUNTER))
    codes = [mail.voucher_code for mail in to_counter]
    for code in codes + codes[:1]:
        counter.take_in(code)
    return played


def main() -> int:
    """Read the command line and play; return the exit code."""
    parser = argparse.ArgumentParser(prog="demo.players", description="Plays readers and counter staff.")
    parser.add_argument("--base-url", required=True)
    parser.add_argument("--mailbox", type=Path, required=True)
    parser.add_argument("--logins", type=Path, required=True)
    chosen = parser.parse_args()
    logins = json.loads(chosen.logins.read_text(encoding="utf-8"))
    try:
        played = play(chosen.base_url, chosen.mailbox, logins)
    except PlayFailed as failed:
        print(failed, flush=True)
        return 1
    print(json.dumps(asdict(played)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
