"""A scanner's machine, a cable, and a hospital of many machines on real ports."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any

from tests.integration.captures import Capture, watched
from tests.integration.crowd import crowd
from tests.integration.killing import lasting
from tests.integration.product import Product
from tests.namespaces import Wire, wire

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

ATTEMPTS = "ip daddr 10.77.0.0/16 tcp flags & (syn | ack) == syn counter name attempts"
SMB_ALONE = ("smb",)
PATIENCE = 90
"""Seconds after which something that a test waits for will not happen."""


@dataclass
class Scene:
    """One cable and what hangs on it; every command runs on the scanner's machine."""

    cable: Wire
    product: Product

    @property
    def folder(self) -> Path:
        """Where the site file and the inventory are."""
        return self.product.folder

    def site(
        self,
        *wards: str,
        policy: str = "",
        site: str = "",
        more: str = "",
        probes: Sequence[str] | None = SMB_ALONE,
    ) -> None:
        """Write the site file: a line or more for each ward, beside its name.

        The machines of a scene speak SMB alone; what every probe does together is tested for itself.
        """
        held = "" if probes is None else f"probes = {json.dumps(list(probes))}"
        tables = [f'[[ward]]\nname = "Ward {number}"\n{ward}' for number, ward in enumerate(wards, 1)]
        head = [f'[site]\nname = "Test"\n{site}', f"[policy]\n{policy}\n{held}", more]
        text = "\n\n".join(part for part in (*head, *tables) if part)
        (self.folder / "site.toml").write_text(text + "\n", encoding="utf-8")

    @contextmanager
    def watched(self, name: str = "scan") -> Iterator[Capture]:
        """Record what arrives at the hospital."""
        with watched(self.cable.hospital, self.folder / f"{name}.pcap", "net 10.77.0.0/16") as capture:
            yield capture

    def known(self, folder: Path | None = None) -> dict[str, dict[str, Any]]:
        """Every machine of the inventory, but for when it was seen."""
        return lasting(Product(folder or self.folder).exported())

    def attempts(self) -> int:
        """How many SYNs have reached the hospital."""
        return self.cable.counted()["attempts"]

    def wait_for_attempts(self, process: subprocess.Popen[str], number: int) -> None:
        """Wait until so many SYNs of a scan under way have reached the hospital."""
        until(lambda: self.attempts() >= number, process)


def until(condition: Callable[[], bool], process: subprocess.Popen[str] | None = None) -> None:
    """Wait for something that a process is to bring about."""
    patience = time.monotonic() + PATIENCE
    while not condition():
        if process is not None and process.poll() is not None:
            raise AssertionError(f"it ended before: {process.returncode} {process.communicate()}")
        assert time.monotonic() < patience, "it did not happen"
        time.sleep(0.02)


@contextmanager
def scene(
    label: str, folder: Path, living: Sequence[str] = (), *, rules: Sequence[str] = (), seed: str = ""
) -> Iterator[Scene]:
    """A hospital where a machine answers at each of these addresses, and nothing at the others.

    Where none is named, every address is there, and refuses every connection.
    """
    folder.mkdir(exist_ok=True)
    with wire(label, seed=seed) as cable:
        cable.count([ATTEMPTS, *rules])
        made = Scene(cable, Product(folder, tuple(cable.scanner.command())))
        if not living:
            yield made
            return
        cable.dark_but(living)
        with crowd(cable.hospital):
            yield made


def hosts(first: str, number: int) -> list[str]:
    """So many addresses in a row."""
    begin = int(ip_address(first))
    return [str(ip_address(begin + place)) for place in range(number)]


def small_wards(network: str, prefix: int = 28) -> list[str]:
    """A network as many small wards: each is looked back at for itself, so all are scanned at once."""
    return [f'subnets = ["{subnet}"]' for subnet in ip_network(network).subnets(new_prefix=prefix)]


def planned(product: Product, *words: str) -> list[dict[str, Any]]:
    """What ``--plan`` says."""
    rows: list[dict[str, Any]] = json.loads(product.run("scan", "--plan", "--json", *words).stdout)
    return rows
