"""The mail as programs show it in dark mode that turn the colours round themselves, as Outlook and Gmail do. Pure."""

from __future__ import annotations

import colorsys
import re

_STYLED = re.compile(r"(<style\b[^>]*>.*?</style>|\bstyle=\"[^\"]*\"|\bbgcolor=\"[^\"]*\")", re.IGNORECASE | re.DOTALL)
_COLOUR = re.compile(r"#([0-9a-f]{6}|[0-9a-f]{3})\b", re.IGNORECASE)
DARKEST, LIGHTEST = 0.11, 0.95  # no program makes it quite black or white


def darkened(html: str) -> str:
    """Return the HTML with light colours dark and dark ones light; pictures stay as they are."""
    return _STYLED.sub(lambda part: _COLOUR.sub(_turned, part[0]), html)


def _turned(match: re.Match[str]) -> str:
    digits = match[1] if len(match[1]) == 6 else "".join(sign * 2 for sign in match[1])
    red, green, blue = (int(digits[start : start + 2], 16) / 255 for start in (0, 2, 4))
    hue, lightness, saturation = colorsys.rgb_to_hls(red, green, blue)
    turned = colorsys.hls_to_rgb(hue, DARKEST + (1 - lightness) * (LIGHTEST - DARKEST), saturation)
    return "#" + "".join(f"{round(part * 255):02x}" for part in turned)
