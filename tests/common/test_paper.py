from __future__ import annotations

import subprocess
import sys

import pytest

from common.paper import fetch_font, fetch_nothing, print_html


@pytest.mark.parametrize("address", ["file:///etc/passwd", "http://127.0.0.1/", "font:../../manage.py", "data:,x", ""])
def test_paper_fetches_nothing_from_elsewhere(address: str) -> None:
    for fetch in (fetch_nothing, fetch_font):
        with pytest.raises(ValueError, match="elsewhere"):
            fetch(address)


def test_paper_asks_for_what_it_needs_and_for_nothing_else() -> None:
    asked: list[str] = []

    def fetch(url: str) -> tuple[bytes, str]:
        asked.append(url)
        raise ValueError("not here")

    html = '<html lang="nl"><title>x</title><body><img src="picture:1" alt="x"><img src="http://127.0.0.1:1/" alt="y">'
    assert print_html(html, fetch=fetch).startswith(b"%PDF")
    assert asked == ["picture:1", "http://127.0.0.1:1/"]


def test_a_process_that_prints_nothing_does_not_load_what_prints() -> None:
    program = (
        "import django, sys; django.setup();"
        " print([name for name in ('weasyprint', 'fontTools', 'PIL', 'lxml') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
