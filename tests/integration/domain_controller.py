"""A real Active Directory domain controller: Debian's Samba, provisioned by the tests that ask it.

It needs root: the ports of a domain controller cannot be moved. It listens on one address of 127.0.0.0/8,
and registers its NetBIOS names some seconds after it began to listen.
"""

from __future__ import annotations

import os
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.integration.peers import ended, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PORTS = (135, 389, 636, 3268, 3269)
FOLDERS = (
    "pid directory",
    "ncalrpc dir",
    "lock directory",
    "state directory",
    "cache directory",
    "private dir",
)


@dataclass(frozen=True)
class Controller:
    """Where it listens, and what it is called."""

    address: str
    name: str = "DCONE"
    workgroup: str = "WARD"
    realm: str = "ward.example"

    @property
    def dns_name(self) -> str:
        """Its full name."""
        return f"{self.name.lower()}.{self.realm}"


def own_address() -> str:
    """A loopback address that only this test process uses, and beside it one for its broadcasts."""
    number = os.getpid() % (1 << 14)
    return f"127.77.{number >> 6}.{(number & 63) << 2 | 1}"


@contextmanager
def domain_controller(folder: Path, address: str = "") -> Iterator[Controller]:
    """Provision a domain and serve it: the endpoint mapper, LDAP, the global catalogue, and NetBIOS names.

    It takes a few seconds: a module's tests share one. Nobody is told the password that Samba makes up.
    """
    controller = Controller(address or own_address())
    first, served = folder / "first.conf", folder / "domain" / "etc" / "smb.conf"
    settings = {
        "netbios name": controller.name,
        "workgroup": controller.workgroup,
        "realm": controller.realm,
        "server role": "active directory domain controller",
        "server services": "rpc, ldap, cldap, nbt",
        "interfaces": f"{controller.address}/30",
        "bind interfaces only": "yes",
        "vfs objects": "dfs_samba4 acl_xattr xattr_tdb",
        "xattr_tdb:file": str(folder / "xattr.tdb"),
        "log file": str(folder / "log"),
    }
    _write(first, settings)
    _provision(first, folder / "domain", controller)
    places = {name: folder / "domain" / name.split()[0] for name in FOLDERS}
    for place in places.values():
        place.mkdir(parents=True, exist_ok=True)
    _write(served, settings | {name: str(place) for name, place in places.items()})
    command = ("samba", "--foreground", "--no-process-group", "--model=single", "--debug-stdout", "-s")
    process = subprocess.Popen(
        [*command, str(served), "-l", str(folder)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    with ended(process):
        wait_for(process, [(controller.address, port) for port in PORTS])
        yield controller


def _write(file: Path, settings: dict[str, str]) -> None:
    lines = [f"{key} = {value}" for key, value in settings.items()]
    file.write_text("\n".join(["[global]", *lines, ""]), encoding="utf-8")


def _provision(configuration: Path, target: Path, controller: Controller) -> None:
    words = {
        "configfile": str(configuration),
        "targetdir": str(target),
        "realm": controller.realm.upper(),
        "domain": controller.workgroup,
        "host-name": controller.name.lower(),
        "host-ip": controller.address,
        "server-role": "dc",
        "dns-backend": "NONE",
    }
    options = [f"--{name}={value}" for name, value in words.items()]
    done = subprocess.run(
        ["samba-tool", "domain", "provision", *options],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert not done.returncode, done.stderr
