"""Network addresses, cut so that they prove something and name nobody."""

from __future__ import annotations

import ipaddress


def truncated(address: str) -> str:
    """Return the network that an address lies in: /24 of IPv4, /48 of IPv6; empty text for what is no address."""
    try:
        found = ipaddress.ip_address(address.strip())
    except ValueError:
        return ""
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    return str(ipaddress.ip_network((found, 24 if found.version == 4 else 48), strict=False))
