"""Signed scopes: OpenSSH signatures over the bytes of a site file (ssh-keygen(1), PROTOCOL.sshsig).

Each role of ``[signing]`` has a signature of its own, ``site.toml.ROLE.sig``; ``allowed_signers`` says whose
keys count for it. Nothing here is ours alone: ssh-keygen makes and checks the same files.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from scanner.audit.keygen import content_of, keygen, said, trusted, write_public
from scanner.errors import ConfigError, VetusteError

if TYPE_CHECKING:
    from scanner.config import SiteSource

NAMESPACE: Final = "vetuste-scope"
"""What the signatures are made for: one made for anything else does not count."""


def signature_file(source: SiteSource, role: str) -> Path:
    """Where a role's signature stands."""
    return source.path.with_name(f"{source.path.name}.{role}.sig")


def demand_signed(source: SiteSource) -> tuple[str, ...]:
    """Check that everybody signed whom the site file names, these very bytes; gives the roles.

    Returns:
        The roles; none where the file demands no signature.

    Raises:
        ConfigError: a signature is missing or does not count; names its file, and why.
    """
    if not source.file.site.signed:
        return ()
    for role in source.file.signing.roles:
        verify(source, role)
    return source.file.signing.roles


def verify(source: SiteSource, role: str) -> str:
    """Check a role's signature; gives the fingerprint of the key that made it.

    Raises:
        ConfigError: it is missing, of other bytes, for another purpose, or of a key that may not sign for the
            role now.
    """
    file = signature_file(source, role)
    if not file.exists():
        raise ConfigError(
            "{role} has not signed {site}: there is no such signature (vetuste scope sign)",
            file=file,
            role=role,
            site=source.path.name,
        )
    allowed = source.path.parent / source.file.signing.allowed_signers
    with tempfile.TemporaryDirectory() as folder:
        signature, signers = Path(folder, "signature"), Path(folder, "allowed_signers")
        signature.write_bytes(content_of(file))
        signers.write_bytes(trusted(allowed))
        done = keygen("check-novalidate", "-s", str(signature), namespace=NAMESPACE, content=source.content)
        if done.returncode:
            raise _unsigned(file, source, said(done))
        names = ("-f", str(signers), "-I", role, "-s", str(signature))
        done = keygen("verify", *names, namespace=NAMESPACE, content=source.content)
        if done.returncode:
            why = said(done).replace(str(signers), str(allowed))
            raise _unknown(file, allowed, role, why)
    key = re.search(rb"SHA256:[A-Za-z0-9+/]+", done.stdout)
    return key[0].decode() if key else ""


def sign(source: SiteSource, role: str, key: Path) -> Path:
    """Sign a site file as it was read; gives the signature's file, which everybody may read.

    Args:
        source: the site file.
        role: one that it names.
        key: a private key, or the public half of one that an agent or a token holds. ssh-keygen asks for its
            passphrase on the terminal.

    Raises:
        ConfigError: the site file names no such role, or ssh-keygen does not sign; it says why itself.
        VetusteError: the signature cannot be written.
    """
    known = source.file.signing.roles
    if role not in known:
        raise ConfigError(
            "{role} is no role of this file; it names: {known}",
            file=source.path,
            key="signing.roles",
            role=repr(role),
            known=", ".join(known) or "-",
        )
    done = keygen("sign", "-q", "-f", str(key), namespace=NAMESPACE, content=source.content, attended=True)
    if done.returncode:
        raise ConfigError("ssh-keygen signs nothing with this key; it said why above", file=key)
    file = signature_file(source, role)
    try:
        write_public(file, done.stdout)
    except OSError as error:
        raise VetusteError("cannot be written: {why}", file=file, why=error.strerror) from error
    return file


def _unsigned(file: Path, source: SiteSource, why: str) -> ConfigError:
    return ConfigError(
        "does not sign {site} as it stands: that was changed since, or this signs something else, or is "
        "damaged (ssh-keygen: {why})",
        file=file,
        site=source.path.name,
        why=why or "-",
    )


def _unknown(file: Path, allowed: Path, role: str, why: str) -> ConfigError:
    if why:
        return ConfigError("its key may not sign for {role}: {why}", file=file, role=role, why=why)
    return ConfigError(
        "its key is none of those that sign for {role} in {allowed}", file=file, role=role, allowed=allowed
    )
