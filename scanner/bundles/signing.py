"""Signed bundles: OpenSSH signatures over the list of digests (ssh-keygen(1), PROTOCOL.sshsig).

``allowed_signers`` names the sites that a key may speak for: the principal is the site's name.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from scanner.audit.keygen import keygen, said, trusted
from scanner.errors import ConfigError, DataError

if TYPE_CHECKING:
    from collections.abc import Callable

    from scanner.bundles.reading import Bundle

NAMESPACE: Final = "vetuste-bundle"
"""What the signatures are made for: one made for a scope or a campaign does not count."""
NAMELESS: Final = "-"
"""The principal of the site that has no name."""


def signer(key: Path) -> Callable[[bytes], bytes]:
    """What signs with a key: a private one, or the public half of one that an agent or a token holds.

    It raises ConfigError where ssh-keygen does not sign; that says why itself.
    """

    def sign(content: bytes) -> bytes:
        done = keygen("sign", "-q", "-f", str(key), namespace=NAMESPACE, content=content, attended=True)
        if done.returncode:
            raise ConfigError("ssh-keygen signs nothing with this key; it said why above", file=key)
        return done.stdout

    return sign


def demand_signed(bundle: Bundle, allowed: Path) -> None:
    """Go on only with a bundle that somebody signed who may speak for its site.

    Raises:
        ConfigError: a file cannot be read, or others could change who may sign.
        DataError: it is unsigned, or its signature is damaged or of a key that may not speak for the site.
    """
    name = bundle.head.name or NAMELESS
    if bundle.signature is None:
        raise DataError("the bundle is not signed; --unsigned imports it all the same")
    with tempfile.TemporaryDirectory() as folder:
        signature, signers = Path(folder, "signature"), Path(folder, "allowed_signers")
        signature.write_bytes(bundle.signature)
        signers.write_bytes(trusted(allowed))
        one = ("-s", str(signature))
        done = keygen("check-novalidate", *one, namespace=NAMESPACE, content=bundle.sums)
        if done.returncode:
            raise DataError(
                "the bundle's signature signs something else, or is damaged (ssh-keygen: {why})",
                why=said(done) or "-",
            )
        done = keygen(
            "verify", "-f", str(signers), "-I", name, *one, namespace=NAMESPACE, content=bundle.sums
        )
        if done.returncode:
            raise DataError(
                "the key that signed the bundle may not speak for {site}: {allowed} says whose may",
                site=repr(name),
                allowed=allowed.name,
            )
