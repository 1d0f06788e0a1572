"""Reading settings from the environment: small functions that collect what is wrong instead of raising.

`problems` holds a sentence per missing or wrong setting; the settings end the program with all of them at once.
"""

import json
import os
import re
import secrets
from base64 import b64decode, b64encode
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

import environ

T = TypeVar("T")
problems: list[str] = []


def read(name: str, default: str | None = None) -> str:
    """Return NAME, else the contents of the file NAME_FILE, else the default; none at all is a problem."""
    if value := os.environ.get(name, "").strip():
        return value
    if path := os.environ.get(f"{name}_FILE"):
        try:
            return Path(path).read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            problems.append(f"{name}_FILE={path} cannot be read ({getattr(error, 'strerror', None) or 'not text'})")
            return ""
    if default is None:
        problems.append(f"{name} is missing")
        return ""
    return default


def read_all(prefix: str) -> dict[str, str]:
    """Return every setting whose name starts with that, by the rest of its name."""
    names = {name.removesuffix("_FILE") for name in os.environ if name.startswith(prefix)}
    return {name.removeprefix(prefix): value for name in sorted(names) if (value := read(name, ""))}


def read_flag(name: str) -> bool:
    """Return a yes or no; not set means no."""
    value = read(name, "0").lower()
    if value not in {"0", "1", "no", "yes", "off", "on", "false", "true"}:
        problems.append(f"{name} must be 0 or 1, not '{value}'")
    return value in {"1", "yes", "on", "true"}


def read_parsed(name: str, default: str | None, parse: Callable[[str], T], otherwise: T, form: str) -> T:
    """Return a parsed URL. A message shows its `form` and not the value, which may hold a password."""
    value = read(name, default)
    if not value:
        return otherwise
    try:
        return parse(value)
    except (ValueError, KeyError, environ.ImproperlyConfigured):
        problems.append(f"{name} must look like {form}")
        return otherwise


def read_key(name: str, *, keep_in: Path | None) -> str:
    """Return a secret key; a local machine makes one on first use and keeps it in its state folder."""
    if not keep_in or os.environ.get(name) or os.environ.get(f"{name}_FILE"):
        value = read(name)
        if value and len(value) < 32:
            problems.append(f"{name} must have at least 32 characters")
        return value
    path = keep_in / name.lower()
    if not path.exists() and keep_in.is_dir():
        mine = path.with_suffix(f".{os.getpid()}")
        mine.touch(mode=0o600)
        mine.write_text(secrets.token_urlsafe(48))
        try:
            os.link(mine, path)  # unlike a rename this lets the first of several processes win
        except FileExistsError:
            pass
        finally:
            mine.unlink()
    return path.read_text() if path.exists() else ""


def parse_database(url: str) -> dict[str, Any]:
    """Turn a URL into Django's settings; a socket's folder comes as ?host=/folder."""
    config: dict[str, Any] = environ.Env.db_url_config(url)
    if config["ENGINE"] != "django.db.backends.postgresql" or not config["NAME"]:
        raise ValueError(url)
    options = config.setdefault("OPTIONS", {})
    config["HOST"] = options.pop("host", None) or config["HOST"]
    config["USER"] = options.pop("user", None) or config["USER"]
    return config


def parse_redis(url: str) -> str:
    """Check a URL that redis-py understands."""
    parts = urlsplit(url)
    place = parts.path if parts.scheme == "unix" else parts.hostname
    if parts.scheme not in {"redis", "rediss", "unix"} or not place:
        raise ValueError(url)
    return url


def parse_email(url: str) -> dict[str, Any]:
    """Turn a URL into Django's settings: smtp is plain, smtp+tls STARTTLS, smtps TLS from the first byte."""
    parts = urlsplit(url)
    ports = {"smtp": 25, "smtp+tls": 587, "smtps": 465}
    if parts.scheme not in ports or not parts.hostname:
        raise ValueError(url)
    return {
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": parts.port or ports[parts.scheme],
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_TLS": parts.scheme == "smtp+tls",
        "EMAIL_USE_SSL": parts.scheme == "smtps",
    }


def parse_relay(text: str) -> dict[str, Any]:
    """Turn a URL into Django's settings, or ``anymail:mailgun`` into the provider that django-anymail asks."""
    kind, _colon, name = text.partition(":")
    if kind != "anymail":
        return parse_email(text)
    if not re.fullmatch("[a-z_]+", name) or find_spec(f"anymail.backends.{name}") is None:
        raise ValueError(text)
    return {"ANYMAIL": name}


def parse_signing_key(text: str) -> dict[str, str]:
    """Turn a name in the DNS and a private key behind it into selector, domain and key (base64 of PKCS 8).

    The key is RSA (from 1024 bits) or Ed25519, in PEM or as one line of base64.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

    place, key = text.split(None, 1)
    selector, _middle, domain = place.lower().partition("._domainkey.")
    if not all(re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)*", part) for part in (selector, domain)):
        raise ValueError(place)
    try:
        if key.startswith("-----"):
            loaded = serialization.load_pem_private_key(key.replace("\\n", "\n").encode(), password=None)
        else:
            loaded = serialization.load_der_private_key(b64decode(key), password=None)
    except (TypeError, UnsupportedAlgorithm) as error:  # one with a password, or of another kind
        raise ValueError(place) from error
    if not isinstance(loaded, rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey):
        raise ValueError(place)
    if isinstance(loaded, rsa.RSAPrivateKey) and loaded.key_size < 1024:
        raise ValueError(place)
    plain = loaded.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return {"selector": selector, "domain": domain, "key": b64encode(plain).decode()}


def parse_mailbox(url: str) -> str:
    """Check the URL of a mailbox to read from."""
    parts = urlsplit(url)
    if parts.scheme not in {"imap", "imaps", "pop3", "pop3s"} or not parts.hostname or not parts.username:
        raise ValueError(url)
    return url


#: What a provider of text messages may call by names of its own: ``mailings.sms.events.Words``.
TEXT_WORDS = {"ours", "theirs", "state", "detail", "number", "text", "arrived", "failed", "gone"}


def parse_text_api(text: str) -> str:
    """Check how a provider of text messages is asked: a JSON object with at least an address."""
    told = json.loads(text)
    if not isinstance(told, dict) or not set(told) <= {"url", "headers", "body", "form", "id", "words"}:
        raise ValueError(text)
    parts, headers = urlsplit(str(told.get("url", ""))), told.get("headers", {})
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.port == 0 or not isinstance(headers, dict):
        raise ValueError(text)
    words = [told["url"], *headers, *headers.values()]
    if not all(isinstance(word, str) and word.isascii() and word.isprintable() for word in words):
        raise ValueError(text)
    if not isinstance(told.get("words", {}), dict) or not set(told.get("words", {})) <= TEXT_WORDS:
        raise ValueError(text)
    return text


def parse_place(place: str) -> str:
    """Check a host and port to listen at."""
    host, _colon, port = place.rpartition(":")
    if not host or not 0 < int(port) < 65536:
        raise ValueError(place)
    return place


def parse_base(url: str) -> str:
    """Check the address of the site; return it without a slash at the end."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.strip("/") or parts.query:
        raise ValueError(url)
    return url.rstrip("/")


def celery_broker(url: str) -> str:
    """Celery has its own way to write a socket's URL."""
    parts = urlsplit(url)
    if parts.scheme != "unix":
        return url
    database = dict(pair.split("=", 1) for pair in parts.query.split("&") if "=" in pair).get("db", "0")
    return f"redis+socket://{parts.path}?virtual_host={database}"
