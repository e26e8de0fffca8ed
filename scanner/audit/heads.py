"""Signed heads: who says that a campaign's head is this one (docs/sealing.md).

What is signed are the 64 digits of the head and a line end, so that ``ssh-keygen -Y verify`` alone
checks it as well.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import Final

from scanner.audit.keygen import content_of, keygen, said, trusted, write_public
from scanner.errors import ConfigError, VetusteError

NAMESPACE: Final = "vetuste-campaign"
"""What the signatures are made for: one made for a scope does not count."""
_HEAD: Final = re.compile(r"(?:sha256:)?([0-9a-f]{64})")


def head_given(text: str) -> str:
    """A head as somebody wrote it down.

    Raises:
        ConfigError: it is none; a part of one proves nothing.
    """
    found = _HEAD.fullmatch(re.sub(r"\s", "", text).lower())
    if not found:
        raise ConfigError("{head} is no head: a head has 64 hexadecimal digits", head=repr(text))
    return found[1]


def demand_head(head: str, kept: str) -> None:
    """Go on only where a head is the one that was kept elsewhere.

    Raises:
        VetusteError: it is another one.
    """
    if head != head_given(kept):
        raise VetusteError(
            "the head is {head}, and not the one that was kept: all of it was made anew, or this is another "
            "campaign",
            head=head,
        )


def sign_head(head: str, key: Path, target: Path) -> None:
    """Sign a head; the signature may be read by everybody.

    Args:
        head: what is signed.
        key: a private key, or the public half of one that an agent or a token holds.
        target: the signature's file.

    Raises:
        ConfigError: ssh-keygen does not sign; it says why itself.
        VetusteError: the signature cannot be written.
    """
    done = keygen("sign", "-q", "-f", str(key), namespace=NAMESPACE, content=_signed(head), attended=True)
    if done.returncode:
        raise ConfigError("ssh-keygen signs nothing with this key; it said why above", file=key)
    try:
        write_public(target, done.stdout)
    except OSError as error:
        raise VetusteError("cannot be written: {why}", file=target, why=error.strerror) from error


def verify_head(head: str, signature: Path, allowed: Path) -> str:
    """Check a signature over a head; gives who made it, as ``allowed_signers`` names the key's owner.

    Raises:
        ConfigError: a file cannot be read, or others could change who may sign.
        VetusteError: it is of another head, for another purpose, or of a key that may not sign.
    """
    with tempfile.TemporaryDirectory() as folder:
        one, signers = Path(folder, "signature"), Path(folder, "allowed_signers")
        one.write_bytes(content_of(signature))
        signers.write_bytes(trusted(allowed))
        names = ("-s", str(one))
        done = keygen("check-novalidate", *names, namespace=NAMESPACE, content=_signed(head))
        if done.returncode:
            raise VetusteError(
                "does not sign the head {head}: it signs something else, or is damaged (ssh-keygen: {why})",
                file=signature,
                head=head,
                why=said(done) or "-",
            )
        whose = (*names, "-f", str(signers))
        found = keygen("find-principals", *whose, namespace=NAMESPACE, content=b"").stdout.decode()
        for name in found.splitlines():
            done = keygen("verify", "-I", name, *whose, namespace=NAMESPACE, content=_signed(head))
            if not done.returncode:
                return name
    raise VetusteError("its key is none of those that sign in {allowed}", file=signature, allowed=allowed)


def _signed(head: str) -> bytes:
    return f"{head}\n".encode()
