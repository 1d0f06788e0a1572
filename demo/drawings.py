"""Pictures for the demo, drawn here: nothing is fetched and nobody's work is used."""

from __future__ import annotations

import io
import math

from PIL import Image, ImageDraw, ImageFont

INK, WATER, LIGHT = "#1f2933", "#0b5563", "#9fd3d8"


def draw_logo() -> io.BytesIO:
    """Return the logo of Bibliotheek Waterland: waves in a square, and its name."""
    picture = Image.new("RGB", (640, 128), "white")
    pen = ImageDraw.Draw(picture)
    pen.rounded_rectangle((4, 4, 124, 124), 18, fill=WATER)
    for row, top in enumerate((44, 70, 96)):
        wave = [(x, top + 8 * math.sin((x + 14 * row) / 9)) for x in range(18, 111)]
        pen.line(wave, fill=LIGHT if row else "white", width=8, joint="curve")
    pen.text((148, 14), "Bibliotheek", fill=INK, font=ImageFont.load_default(42))
    pen.text((148, 64), "Waterland", fill=WATER, font=ImageFont.load_default(42))
    return _png(picture)


def draw_evening() -> io.BytesIO:
    """Return a picture for an evening at the library: a lamp above books."""
    picture = Image.new("RGB", (600, 600), "#f3e9dc")
    pen = ImageDraw.Draw(picture)
    pen.polygon([(300, 60), (180, 230), (420, 230)], fill="#d98324")
    pen.polygon([(190, 240), (410, 240), (560, 520), (40, 520)], fill="#fbf3d9")
    left = 110
    for width, height, colour in (
        (54, 190, WATER),
        (40, 150, "#7a1f4d"),
        (66, 210, INK),
        (48, 170, "#5b7f3b"),
        (60, 196, WATER),
    ):
        pen.rectangle((left, 520 - height, left + width, 520), fill=colour)
        pen.rectangle((left + 8, 540 - height, left + width - 8, 548 - height), fill="#f3e9dc")
        left += width + 18
    pen.rectangle((40, 520, 560, 540), fill=INK)
    return _png(picture)


def _png(picture: Image.Image) -> io.BytesIO:
    out = io.BytesIO()
    picture.save(out, "PNG")
    out.seek(0)
    return out
