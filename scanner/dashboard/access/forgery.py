"""Whether a change is meant by the visitor, or was made for them by another page."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Collection

    from starlette.datastructures import Headers


@dataclass(frozen=True, slots=True)
class Forgery:
    """Makes and knows the tokens of forms: each is of one cookie and one visitor, and of this process."""

    key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)

    def token(self, identity: str, name: str) -> str:
        """What a form of this visitor carries."""
        return hmac.new(self.key, f"{identity}\0{name}".encode(), sha256).hexdigest()


def same(given: str, wanted: str) -> bool:
    """Whether two secrets are the same, told in the same time either way."""
    return hmac.compare_digest(given.encode(errors="replace"), wanted.encode())


def from_elsewhere(headers: Headers, hosts: Collection[str], *, secure: bool) -> bool:
    """Whether the browser says that another page sends this.

    Where it says nothing, the form's token decides; so it does where the origin is "null", as it is for our
    own forms by our ``Referrer-Policy``.
    """
    site = headers.get("sec-fetch-site", "")
    if site:
        return site not in {"same-origin", "none"}
    origin = headers.get("origin", "null")
    if origin == "null":
        return False
    try:
        parts = urlsplit(origin)
        name = parts.hostname or ""
    except ValueError:
        return True
    if parts.scheme != ("https" if secure else "http") or name not in hosts:
        return True
    return not secure and parts.netloc.lower() != headers.get("host", "").lower()
