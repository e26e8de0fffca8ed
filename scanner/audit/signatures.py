"""Signed scopes: OpenSSH signatures over the bytes of a site file (ssh-keygen(1), PROTOCOL.sshsig).

Each role of ``[signing]`` has a signature of its own, ``site.toml.ROLE.sig``; ``allowed_signers`` says whose
keys count for it. Nothing here is ours alone: ssh-keygen makes and checks the same files.
"""

from __future__ import annotations

import os
import re
import stat
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from scanner.errors import ConfigError, VetusteError
from scanner.wire import printable

if TYPE_CHECKING:
    from scanner.config import SiteSource

NAMESPACE: Final = "vetuste-scope"
"""What the signatures are made for: one made for anything else does not count."""

_LARGEST: Final = 1 << 20
"""Most bytes of a file that is handed to ssh-keygen."""
_SECONDS: Final = 20
_SECONDS_OF_A_PERSON: Final = 300
"""To type a passphrase, or to touch a token."""
_OTHERS: Final = stat.S_IWGRP | stat.S_IWOTH


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
        signature.write_bytes(_content(file))
        signers.write_bytes(_trusted(allowed))
        done = _keygen("check-novalidate", "-s", str(signature), content=source.content)
        if done.returncode:
            raise _unsigned(file, source, _said(done))
        names = ("-f", str(signers), "-I", role, "-s", str(signature))
        done = _keygen("verify", *names, content=source.content)
        if done.returncode:
            why = _said(done).replace(str(signers), str(allowed))
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
    done = _keygen("sign", "-q", "-f", str(key), content=source.content, attended=True)
    if done.returncode:
        raise ConfigError("ssh-keygen signs nothing with this key; it said why above", file=key)
    file = signature_file(source, role)
    try:
        _write(file, done.stdout)
    except OSError as error:
        raise VetusteError("cannot be written: {why}", file=file, why=error.strerror) from error
    return file


def _keygen(
    verb: str, *arguments: str, content: bytes, attended: bool = False
) -> subprocess.CompletedProcess[bytes]:
    """Run ``ssh-keygen -Y``, with the bytes in question on its standard input."""
    try:
        return subprocess.run(  # noqa: S603 - a list of arguments, no shell
            ["ssh-keygen", "-Y", verb, "-n", NAMESPACE, *arguments],  # noqa: S607 - where the system has it
            input=content,
            stdout=subprocess.PIPE,
            stderr=None if attended else subprocess.PIPE,
            timeout=_SECONDS_OF_A_PERSON if attended else _SECONDS,
            check=False,
        )
    except FileNotFoundError:
        raise ConfigError("ssh-keygen is missing: apt install openssh-client") from None
    except subprocess.TimeoutExpired:
        raise ConfigError("ssh-keygen does not come to an end: nothing was signed or checked") from None


def _said(done: subprocess.CompletedProcess[bytes]) -> str:
    """The first line of what ssh-keygen complains of; empty where it gives no reason."""
    lines = (done.stderr or b"").decode("utf-8", "replace").splitlines()
    return printable(next((line for line in lines if line.strip()), ""))


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


def _trusted(file: Path) -> bytes:
    """The bytes of a file that nobody else may change: not itself, not a folder above it.

    Raises:
        ConfigError: somebody else may.
    """
    content = _content(file)
    place = file.resolve()
    for step in (place, *place.parents):
        status = step.stat()
        shielded = step != place and status.st_mode & stat.S_ISVTX  # a sticky folder, such as /tmp
        foreign = step in {place, place.parent} and status.st_uid not in {0, os.geteuid()}
        if foreign or (status.st_mode & _OTHERS and not shielded):
            raise ConfigError(
                "others could change {step}, and so whose signature counts: let only root or yourself own "
                "and write it (chmod go-w)",
                file=file,
                step=step,
            )
    return content


def _content(file: Path) -> bytes:
    try:
        with file.open("rb") as stream:
            content = stream.read(_LARGEST + 1)
    except OSError as error:
        raise ConfigError("cannot be read: {why}", file=file, why=error.strerror) from error
    if len(content) > _LARGEST:
        raise ConfigError("is larger than 1 MiB: this is no file of ssh-keygen", file=file)
    return content


def _write(file: Path, content: bytes) -> None:
    """Write a file whole or not at all, for everybody to read."""
    descriptor, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            os.fchmod(stream.fileno(), 0o644)
        Path(name).replace(file)
    finally:
        Path(name).unlink(missing_ok=True)
