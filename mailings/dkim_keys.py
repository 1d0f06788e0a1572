"""The keys that sign mail, and what the DNS must say of them. Apart, as only who signs loads what it takes."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_private_key

from mailings.dkim import relaxed


@dataclass(frozen=True)
class Signer:
    """A key, and the name under which its public half stands in the DNS."""

    selector: str
    domain: str
    key: RSAPrivateKey | Ed25519PrivateKey

    @property
    def algorithm(self) -> str:
        """Return what its signatures are made with, as they say it themselves."""
        return "rsa-sha256" if isinstance(self.key, RSAPrivateKey) else "ed25519-sha256"

    @property
    def kind(self) -> str:
        """Return what kind of key it is, for people."""
        return f"RSA {self.key.key_size}" if isinstance(self.key, RSAPrivateKey) else "Ed25519"

    @property
    def place(self) -> str:
        """Return the name in the DNS that its record belongs at."""
        return f"{self.selector}._domainkey.{self.domain}"

    @property
    def public_key(self) -> str:
        """Return the public half as it stands in the record."""
        public = self.key.public_key()
        if isinstance(self.key, RSAPrivateKey):
            return b64encode(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()
        return b64encode(public.public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()

    @property
    def record(self) -> str:
        """Return the text of the record."""
        return f"v=DKIM1; k={self.algorithm.partition('-')[0]}; p={self.public_key}"

    def header(self, fields: Sequence[tuple[str, bytes]], names: str, body_hash: str, at: int) -> bytes:
        """Return the header with the signature over these fields; ``names`` is its list of them, folded."""
        said = (
            f"v=1; a={self.algorithm}; c=relaxed/relaxed;\r\n d={self.domain}; s={self.selector}; t={at};\r\n"
            f" h={names};\r\n bh={body_hash};\r\n b="
        ).encode()
        signed = b"".join(line for _name, line in fields) + b"dkim-signature:" + relaxed(said)
        signature = b64encode(self._sign(signed))
        folded = b"\r\n ".join(signature[start : start + 72] for start in range(0, len(signature), 72))
        return b"DKIM-Signature: " + said + folded + b"\r\n"

    def _sign(self, data: bytes) -> bytes:
        if isinstance(self.key, RSAPrivateKey):
            return self.key.sign(data, PKCS1v15(), SHA256())
        return self.key.sign(sha256(data).digest())


@cache
def signer(selector: str, domain: str, key: str) -> Signer:
    """Return who signs with a key: DER without a password, in base64."""
    loaded = load_der_private_key(b64decode(key), password=None)
    assert isinstance(loaded, RSAPrivateKey | Ed25519PrivateKey)  # noqa: S101 - the settings have looked
    return Signer(selector, domain, loaded)
