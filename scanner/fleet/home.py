"""A worker's folder: its inventory, and the site file as the centre has it, checked before it is obeyed."""

from __future__ import annotations

import fcntl
import hashlib
import os
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from scanner.audit import demand_signed
from scanner.config import SiteSource, read_site
from scanner.errors import ConfigError, VetusteError
from scanner.inventory import open_inventory
from scanner.inventory.retention import Keep, prune

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from scanner.fleet.model import FleetSite
    from scanner.inventory import Inventory

_KEPT: Final = timedelta(days=30)
"""For so long what was sent and heard stays here; the centre has it for as long as it wants."""


@dataclass(frozen=True, slots=True)
class Home:
    """The folder of one site's worker, held by this process."""

    folder: Path
    allowed_signers: Path | None
    """Whose keys sign for which role, as this machine's owner has it; then nothing unsigned is obeyed."""

    def source(self, site: FleetSite) -> SiteSource:
        """The site file, written down here, read and checked.

        Raises:
            ConfigError: it is wrong for this program, is not what its digest says, or not everybody signed it
                who must.
            VetusteError: it cannot be written.
        """
        if hashlib.sha256(site.text).hexdigest() != site.digest:
            raise ConfigError(
                "the site file of {site} at the centre is not the one of its digest", site=site.key
            )
        source = _written(self.folder / "site.toml", site)
        signed = source.file.site.signed
        if self.allowed_signers is None:
            if signed:
                raise ConfigError(
                    "the site file demands signatures: --allowed-signers names whose keys count here"
                )
            return source
        if not signed:
            raise ConfigError(
                "the site file demands no signature: with --allowed-signers nothing unsigned is obeyed"
            )
        demand_signed(_by_our_signers(source, self.allowed_signers))
        return source

    def inventory(self) -> Inventory:
        """The inventory of this worker, made where there is none.

        Raises:
            VetusteError: it cannot be opened.
        """
        return open_inventory(f"sqlite:///{self.folder / 'inventory.db'}", create=True)

    def tidy(self) -> None:
        """Let old scans go.

        Raises:
            InventoryError: they cannot.
        """
        before = datetime.now(UTC) - _KEPT
        with self.inventory() as inventory:
            for _ in prune(inventory, Keep(before, before)):
                pass


def _written(file: Path, site: FleetSite) -> SiteSource:
    """A site file and its signatures, of those roles alone that it names: the centre names no files here."""
    try:
        file.write_bytes(site.text)
        source = read_site(file)
        for role in source.file.signing.roles:
            signature = file.with_name(f"{file.name}.{role}.sig")
            signature.unlink(missing_ok=True)
            if role in site.signatures:
                signature.write_bytes(site.signatures[role])
    except OSError as error:
        raise VetusteError("cannot be written: {why}", file=file, why=error.strerror) from error
    return source


def _by_our_signers(source: SiteSource, allowed: Path) -> SiteSource:
    """The same file, to be judged by this machine's list of signers, whatever list it names."""
    signing = source.file.signing.model_copy(update={"allowed_signers": str(allowed.absolute())})
    return replace(source, file=source.file.model_copy(update={"signing": signing}))


@contextmanager
def home_of(state: Path, key: str, allowed_signers: Path | None) -> Iterator[Home]:
    """The folder of a site's worker; nobody else's as long as this lasts.

    Raises:
        VetusteError: another worker has it, or it cannot be made.
    """
    folder = state / "fleet" / key
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(folder / "worker.lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise VetusteError("cannot be written: {why}", file=folder, why=error.strerror) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield Home(folder, allowed_signers)
    except BlockingIOError:
        raise VetusteError(
            "another worker of the site {site} has this folder: give each its own with --state",
            file=folder,
            site=key,
        ) from None
    finally:
        os.close(lock)
