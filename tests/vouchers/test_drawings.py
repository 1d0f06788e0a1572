from __future__ import annotations

import io

import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Browser

from vouchers import codes, drawings


def scan(browser: Browser, html: str, *, dpi: int) -> set[tuple[str, str]]:
    context = browser.new_context(device_scale_factor=dpi / 96)
    page = context.new_page()
    page.set_content(html)
    picture = page.screenshot()
    context.close()
    return {(found.format.name, found.text) for found in zxingcpp.read_barcodes(Image.open(io.BytesIO(picture)))}


@pytest.mark.parametrize("dpi", [150, 300])
def test_both_drawings_are_scanned_from_a_screen_and_from_paper(browser: Browser, dpi: int) -> None:
    (code,) = codes.generate(1)
    style = "<style>.qr { display: block; width: 25mm }</style>"
    page = f"{style}{drawings.qr_svg(code)}<br>{drawings.barcode_svg(code)}"
    assert scan(browser, page, dpi=dpi) == {("QRCode", code), ("Code128", code)}


def test_drawings_have_a_name_and_no_inline_style() -> None:
    (code,) = codes.generate(1)
    for svg in (drawings.qr_svg(code), drawings.barcode_svg(code)):
        assert "style" not in svg
        assert 'role="img"' in svg
        assert code in svg
