"""How many parts a text takes on a phone network: GSM 03.38 where all its signs are in that alphabet, else UCS-2."""

from __future__ import annotations

from dataclasses import dataclass

#: One septet each.
_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
#: Two septets each, which stay together.
_EXTENDED = frozenset("^{}\\[~]|€\f")
#: Signs that word processors put in, by what says the same for one septet.
_SAME = str.maketrans({
    "‘": "'", "’": "'", "‚": "'", "‛": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "´": "'", "`": "'",
    "–": "-", "—": "-", "‐": "-", "‑": "-", "−": "-", "…": "...", "•": "-", "\u00a0": " ", "\u2009": " ",
    "\u202f": " ", "\t": " ", "\u200b": "", "\u00ad": "", "\ufeff": "",
})  # fmt: skip
GSM, UNICODE = "GSM-7", "UCS-2"
_ALONE, _TOGETHER = {GSM: 160, UNICODE: 70}, {GSM: 153, UNICODE: 67}


@dataclass(frozen=True)
class Size:
    """``units`` are septets or 16-bit units; ``odd`` are the signs because of which a text is no GSM-7, in order."""

    encoding: str
    units: int
    parts: int
    room: int  # units that still fit in the last part
    odd: str = ""


def simplified(text: str) -> str:
    """Return text with signs that would make it cost twice as much replaced by plain ones that say the same."""
    return text.replace("\r\n", "\n").translate(_SAME)


def measure(text: str) -> Size:
    """Return how much room a text takes, as it is."""
    odd = "".join(dict.fromkeys(sign for sign in text if sign not in _BASIC and sign not in _EXTENDED))
    encoding = UNICODE if odd else GSM
    widths = [_width(sign, encoding) for sign in text]
    units = sum(widths)
    if units <= _ALONE[encoding]:
        return Size(encoding, units, 1 if text else 0, _ALONE[encoding] - units, odd)
    parts, used = 1, 0
    for width in widths:
        if used + width > _TOGETHER[encoding]:  # no sign is cut in two
            parts, used = parts + 1, 0
        used += width
    return Size(encoding, units, parts, _TOGETHER[encoding] - used, odd)


def _width(sign: str, encoding: str) -> int:
    if encoding == UNICODE:
        return 2 if ord(sign) > 0xFFFF else 1
    return 2 if sign in _EXTENDED else 1
