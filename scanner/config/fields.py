"""What may stand behind a key of a site file: texts, networks, ports, hours, canaries, routers.

Validators raise an error *type* and values; what people read stands in ``complaints.py``.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from ipaddress import ip_address, ip_network
from typing import Annotated, Final, Literal, TypeAlias, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from scanner.config.canary import Canary
from scanner.config.window import NeverOpensError, Window

_NEVER: Final = tuple(ip_network(text) for text in ("0.0.0.0/8", "224.0.0.0/3", "ff00::/8", "::/128"))
"""Addresses that no host can have: this network, multicast, reserved and broadcast (RFC 6890, RFC 4291)."""


_Sized = TypeVar("_Sized", str, tuple[object, ...])
_Element = TypeVar("_Element", bound=Hashable)


class Table(BaseModel):
    """A table of the file: immutable, and nothing in it that is not known."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


def wrong(kind: str, at: tuple[str | int, ...] = (), **values: object) -> PydanticCustomError:
    """An error of a kind that ``complaints.py`` has words for, at a path below where it is raised."""
    return PydanticCustomError(kind, "see complaints.py", {"at": at, **values})


def _text(text: str) -> str:
    text = text.strip()
    if not text.isprintable():
        raise wrong("unprintable")
    return text


def _filled(value: _Sized) -> _Sized:
    if not value:
        raise wrong("blank")
    return value


def _network(text: str) -> str:
    try:
        return str(ip_network(text.strip()))
    except ValueError:
        pass
    try:
        meant = ip_network(text.strip(), strict=False)
    except ValueError:
        raise wrong("no_network", given=text) from None
    raise wrong("host_bits", given=text, meant=str(meant))


def _reachable(text: str) -> str:
    network = ip_network(text)
    if any(network.version == never.version and network.overlaps(never) for never in _NEVER):
        raise wrong("no_hosts", given=text)
    return text


def _apart(networks: tuple[str, ...]) -> tuple[str, ...]:
    parsed = [ip_network(text) for text in networks]
    order = sorted(range(len(parsed)), key=lambda index: (parsed[index].version, int(parsed[index][0])))
    widest = order[0]
    for index in order[1:]:
        one, other = parsed[widest], parsed[index]
        if one.version == other.version and int(other[0]) <= int(one[-1]):
            first, second = sorted((widest, index))
            raise wrong("overlap", at=(second,), given=networks[second], other=networks[first])
        widest = index
    return networks


def _distinct(values: tuple[_Element, ...]) -> tuple[_Element, ...]:
    seen: set[_Element] = set()
    for index, value in enumerate(values):
        if value in seen:
            raise wrong("twice", at=(index,), given=value if isinstance(value, int) else str(value))
        seen.add(value)
    return values


def matching(pattern: str, kind: str) -> AfterValidator:
    """A check that a whole text has this form."""
    whole = re.compile(pattern)

    def check(text: str) -> str:
        if not whole.fullmatch(text):
            raise wrong(kind, given=text)
        return text

    return AfterValidator(check)


def _window(value: object) -> Window:
    try:
        return Window.parse(value if isinstance(value, str) else "")
    except NeverOpensError:
        raise wrong("never_opens", given=value) from None
    except ValueError:
        raise wrong("no_window", given=value) from None


def _canary(value: object) -> Canary:
    try:
        return Canary.parse(value if isinstance(value, str) else "")
    except ValueError:
        raise wrong("no_canary", given=value) from None


def _address(text: str) -> str:
    try:
        address = ip_address(text.strip())
    except ValueError:
        raise wrong("no_router", given=text) from None
    if getattr(address, "scope_id", None):
        raise wrong("no_router", given=text)
    return str(address)


def _secretless(url: str) -> str:
    if re.match(r"[^/]*//[^/@]*:[^/@]*@", url) or re.search(r"[?&](?:ssl)?password=", url):
        raise wrong("secret")
    return url


SOME: Final = AfterValidator(_filled)
DISTINCT: Final = AfterValidator(_distinct)
APART: Final = AfterValidator(_apart)

Line: TypeAlias = Annotated[str, Field(max_length=200), AfterValidator(_text)]
"""Text on one line; surrounding spaces do not count."""
Filled: TypeAlias = Annotated[Line, SOME]
Network: TypeAlias = Annotated[str, AfterValidator(_network)]
Subnet: TypeAlias = Annotated[Network, AfterValidator(_reachable)]
PortNumber: TypeAlias = Annotated[int, Field(ge=1, le=65535)]
ProbeName: TypeAlias = Annotated[str, matching(r"[a-z][a-z0-9_]{0,30}", "no_probe")]
Ports: TypeAlias = Mapping[ProbeName, Annotated[tuple[PortNumber, ...], SOME, DISTINCT]]
"""By probe: the port that stands for the probe's first port, for its second, …"""
ProbeNames: TypeAlias = Annotated[tuple[ProbeName, ...], SOME, DISTINCT]
ProfileName: TypeAlias = Literal["clinical", "office", "lab"]
WindowText: TypeAlias = Annotated[Window, BeforeValidator(_window)]
AeTitle: TypeAlias = Annotated[str, matching(r"[ -\[\]-~]{0,15}[!-\[\]-~]", "no_ae_title")]
"""An application entity title (DICOM PS3.5 6.2): 16 characters at most, no backslash, not all spaces."""
CanaryText: TypeAlias = Annotated[Canary, BeforeValidator(_canary)]
RouterText: TypeAlias = Annotated[str, AfterValidator(_address)]
"""An address of IPv4 or IPv6, in its usual form."""
RoleName: TypeAlias = Annotated[str, matching(r"[a-z][a-z0-9-]{0,30}", "no_role")]
Variable: TypeAlias = Annotated[str, matching(r"[A-Z_][A-Z0-9_]*", "no_variable")]
"""The name of an environment variable."""
DatabaseURL: TypeAlias = Annotated[Filled, AfterValidator(_secretless)]
