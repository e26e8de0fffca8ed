"""A certificate authority of the tests' own, made by openssl: one server, one client certificate a role."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30")


@dataclass(frozen=True)
class Authority:
    """Who vouches for the centre and for the sites."""

    folder: Path

    @classmethod
    def made(cls, folder: Path) -> Authority:
        """A new one, in a folder that is there."""
        authority = cls(folder)
        authority._request("ca", "/CN=Authority of a test", "basicConstraints=critical,CA:TRUE")
        return authority

    @property
    def root(self) -> Path:
        """What whoever trusts it needs."""
        return self.folder / "ca.crt"

    def issue(self, name: str, *extensions: str) -> tuple[Path, Path]:
        """A certificate in this name, and its key."""
        signer = ("-CA", self.root, "-CAkey", self.folder / "ca.key")
        return self._request(name, f"/CN={name}", "basicConstraints=CA:FALSE", *extensions, signer=signer)

    def _request(
        self, name: str, subject: str, *extensions: str, signer: tuple[str | Path, ...] = ()
    ) -> tuple[Path, Path]:
        certificate, key = self.folder / f"{name}.crt", self.folder / f"{name}.key"
        files = ("-keyout", key, "-out", certificate, "-subj", subject)
        more = [word for extension in extensions for word in ("-addext", extension)]
        words = ("openssl", "req", "-x509", "-batch", *_KEY, *files, *signer, *more)
        subprocess.run([*map(str, words)], check=True, capture_output=True, timeout=60)
        key.chmod(0o600)
        return certificate, key
