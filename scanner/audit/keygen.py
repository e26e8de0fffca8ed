"""ssh-keygen -Y: making and checking OpenSSH signatures (ssh-keygen(1), PROTOCOL.sshsig)."""

from __future__ import annotations

import os
import stat
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from scanner.errors import ConfigError
from scanner.wire import printable

_LARGEST: Final = 1 << 20
"""Most bytes of a file that is handed to ssh-keygen."""
_SECONDS: Final = 20
_SECONDS_OF_A_PERSON: Final = 300
"""To type a passphrase, or to touch a token."""
_OTHERS: Final = stat.S_IWGRP | stat.S_IWOTH


def keygen(
    verb: str, *arguments: str, namespace: str, content: bytes, attended: bool = False
) -> subprocess.CompletedProcess[bytes]:
    """Run ``ssh-keygen -Y``, with the bytes in question on its standard input."""
    try:
        return subprocess.run(  # noqa: S603 - a list of arguments, no shell
            ["ssh-keygen", "-Y", verb, "-n", namespace, *arguments],  # noqa: S607 - where the system has it
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


def said(done: subprocess.CompletedProcess[bytes]) -> str:
    """The first line of what ssh-keygen complains of; empty where it gives no reason."""
    lines = (done.stderr or b"").decode("utf-8", "replace").splitlines()
    return printable(next((line for line in lines if line.strip()), ""))


def trusted(file: Path) -> bytes:
    """The bytes of a file that nobody else may change: not itself, not a folder above it.

    Raises:
        ConfigError: somebody else may.
    """
    content = content_of(file)
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


def content_of(file: Path) -> bytes:
    """The bytes of a small file.

    Raises:
        ConfigError: it cannot be read, or is too large.
    """
    try:
        with file.open("rb") as stream:
            content = stream.read(_LARGEST + 1)
    except OSError as error:
        raise ConfigError("cannot be read: {why}", file=file, why=error.strerror) from error
    if len(content) > _LARGEST:
        raise ConfigError("is larger than 1 MiB: this is no file of ssh-keygen", file=file)
    return content


def write_public(file: Path, content: bytes) -> None:
    """Write a file whole or not at all, for everybody to read."""
    descriptor, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            os.fchmod(stream.fileno(), 0o644)
        Path(name).replace(file)
    finally:
        Path(name).unlink(missing_ok=True)
