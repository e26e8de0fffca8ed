"""What the simulated machines are: the table of ``personalities.toml``, read and checked."""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from scanner.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

DIALECTS: Final = {"2.0.2": 0x0202, "2.1": 0x0210, "3.0": 0x0300, "3.0.2": 0x0302, "3.1.1": 0x0311}
"""SMB2 dialects and their numbers ([MS-SMB2] 2.2.3), in ascending order."""


@dataclass(frozen=True, slots=True, eq=False)
class Personality:
    """How one kind of machine answers; ``personalities.toml`` explains each field.

    Two are the same only when they are one object, which makes them cheap keys of caches.
    """

    key: str
    product: str
    role: str
    share: int
    native_os: str
    native_lm: str
    smb1: bool
    extended: bool
    mpx: int
    buffer: int
    capabilities: int
    dialect: str
    transact: int
    mode: int
    signing: int
    ntlm: str
    timestamp: bool
    boot: bool
    kerberos: bool
    negoex: bool
    token: bool
    ciphers: tuple[int, ...]
    compression: bool
    signing_context: bool
    reuses_buffer: bool
    early_credits: bool
    short_error: bool
    samba: bool
    netbios_only: bool
    behaviour: str
    smb: bool
    netbios: bool
    rpc: int
    epm: bool
    com: int
    x64: bool
    rdp: str
    rdp_flags: int
    credssp: int
    tls: str
    snmp: tuple[int, ...]
    sysdescr: str
    sysobjectid: str
    ssh: str
    kexinit: str
    http: str
    title: str
    http_ntlm: bool
    icon: bool
    oui: str

    dialects: tuple[int, ...] = field(init=False)
    """The numbers of the SMB2 dialects that it speaks, ascending."""

    def __post_init__(self) -> None:
        highest = DIALECTS.get(self.dialect, 0)
        spoken = tuple(number for number in DIALECTS.values() if number <= highest)
        object.__setattr__(self, "dialects", spoken)


@cache
def _file() -> dict[str, Any]:
    return tomllib.loads(files("scanner.simulator").joinpath("personalities.toml").read_text("utf-8"))


@cache
def personalities() -> Mapping[str, Personality]:
    """Every personality by its key, in the order of the file."""
    table = _file()
    made = {}
    for key, fields in table["personality"].items():
        values = {**table["default"], **fields}
        lists = {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
        made[key] = Personality(key=key, **{**values, **lists})
    return MappingProxyType(made)


def algorithms(name: str) -> Mapping[str, str]:
    """What SSH servers of this kind offer: name-lists by what they are for."""
    found: dict[str, str] = _file()["kexinit"][name]
    return found


def personality(key: str) -> Personality:
    """The personality of this name.

    Raises:
        ConfigError: there is none; the nearest name is told.
    """
    known = personalities()
    if key in known:
        return known[key]
    nearest = difflib.get_close_matches(key, known, n=1, cutoff=0.0)[0]
    raise ConfigError("no machine is called {name}; the nearest is {nearest}", name=key, nearest=nearest)
