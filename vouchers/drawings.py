"""QR code and bar code of a voucher as SVG, without inline style so that every page's policy allows them. Pure.

Both hold the bare code and nothing else: a scanner types it as a keyboard would.
"""

from __future__ import annotations

import io

import segno
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

MODULE_MM = 0.4  # bars of the usual 0.2 mm are unreadable at 150 dpi
QUIET_MODULES = 10  # white space a reader needs on both sides
HEIGHT_MM = 14


def qr_svg(code: str) -> SafeString:
    """Return a QR code that fills the width it is given."""
    out = io.BytesIO()
    segno.make(code, error="m", micro=False).save(
        out, kind="svg", xmldecl=False, svgns=True, omitsize=True, border=4, nl=False, light="#fff",
        svgclass="qr", lineclass=None,
        title=_("QR code %(code)s") % {"code": code},
    )  # fmt: skip
    return mark_safe(out.getvalue().decode().replace("<svg ", '<svg role="img" ', 1))  # all drawn here


def barcode_svg(code: str) -> SafeString:
    """Return a Code 128 bar code with bars of ``MODULE_MM``, for scanners that read no QR codes."""
    from barcode.codex import Code128  # brings along all that draws pictures

    (bits,) = Code128(code).build()
    width = len(bits) + 2 * QUIET_MODULES
    bars = "".join(f"M{QUIET_MODULES + start} 0h{length}v40h-{length}z" for start, length in _runs(bits))
    return format_html(
        '<svg xmlns="http://www.w3.org/2000/svg" class="barcode" role="img" width="{}mm" height="{}mm" '
        'viewBox="0 0 {} 40" preserveAspectRatio="none"><title>{}</title>'
        '<path fill="#fff" d="M0 0h{}v40H0z"/><path d="{}"/></svg>',
        f"{width * MODULE_MM:.1f}", HEIGHT_MM, width, _("Bar code %(code)s") % {"code": code}, width, bars,
    )  # fmt: skip


def _runs(bits: str) -> list[tuple[int, int]]:
    """Return (start, length) of each run of ones."""
    runs, position = [], 0
    for piece in bits.split("0"):
        if piece:
            runs.append((position, len(piece)))
        position += len(piece) + 1
    return runs
