"""Keys and signatures that ssh-keygen really made."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from scanner.config import read_site

if TYPE_CHECKING:
    from pathlib import Path

    from scanner.config import SiteSource

SITE = """[site]
name = "A"
signed = true
[signing]
roles = ["biomedical", "rssi"]
[[ward]]
name = "B"
subnets = ["10.0.0.0/24"]
"""


def new_key(file: Path, passphrase: str = "") -> Path:
    """A key pair: ``file``, and ``file.pub`` beside it."""
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-C", file.name, "-f", file], check=True
    )
    return file


def public(key: Path) -> str:
    """The public half, as a line of ``allowed_signers`` has it."""
    return key.with_name(f"{key.name}.pub").read_text().strip()


def fingerprint(key: Path) -> str:
    """As ssh-keygen prints it."""
    done = subprocess.run(["ssh-keygen", "-l", "-f", key], capture_output=True, text=True, check=True)
    return done.stdout.split()[1]


def ssh_sign(key: Path, content: bytes, namespace: str = "vetuste-scope") -> bytes:
    """A signature made without the product."""
    command = ["ssh-keygen", "-Y", "sign", "-q", "-n", namespace, "-f", str(key)]
    return subprocess.run(command, input=content, capture_output=True, check=True).stdout


class Hospital:
    """A folder with a site file, the keys of its roles, and who may sign."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o755)
        self.folder, self.site, self.allowed = folder, folder / "site.toml", folder / "allowed_signers"
        self.site.write_text(SITE)
        self.keys = {role: new_key(folder / f"key-{role}") for role in ("biomedical", "rssi")}
        self.allow(dict.fromkeys(self.keys, ""))

    def allow(self, options: dict[str, str]) -> None:
        """Write ``allowed_signers``: roles, each with the options of its line."""
        lines = [f"{role} {option} {public(self.keys[role])}" for role, option in options.items()]
        self.allowed.write_text("\n".join(lines) + "\n")
        self.allowed.chmod(0o644)

    def source(self) -> SiteSource:
        """The site file as it is now."""
        return read_site(self.site)

    def signature(self, role: str) -> Path:
        """Where a role's signature stands."""
        return self.folder / f"site.toml.{role}.sig"

    def sign(self, *roles: str) -> None:
        """Sign without the product."""
        for role in roles:
            self.signature(role).write_bytes(ssh_sign(self.keys[role], self.site.read_bytes()))
