"""What GLPI (10 and later) is proposed about a machine: one inventory document, as its agents send them.

The form is that of github.com/glpi-project/inventory_format. ``partial`` leaves alone what is not named.
What an agent of GLPI manages gets no document: the agent knows better, and ours would take its place.
"""

from __future__ import annotations

import hashlib
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final

from scanner.model import Certainty, Role
from scanner.version import installed_version
from scanner.wire import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from scanner.inventory.rows import Asset

_LONGEST: Final = 255
"""Characters of GLPI's text columns: of more its database refuses the whole machine."""
_COMPUTERS: Final = frozenset({Role.CLIENT, Role.SERVER})


def document_of(asset: Asset) -> dict[str, Any] | None:
    """The document of a machine; None where an agent manages it."""
    if asset.managed:
        return None
    parts = {
        "hardware": _told(name=asset.name, workgroup=asset.domain),
        "operatingsystem": _system(asset),
        "networks": list(_networks(asset)),
    }
    return {
        "deviceid": device_id(asset),
        "itemtype": item_type(asset),
        "partial": True,
        "action": "inventory",
        **_told(tag=asset.place.site),
        "content": {"versionclient": _client(), **{name: part for name, part in parts.items() if part}},
    }


def device_id(asset: Asset) -> str:
    """The same for the same asset in every export; different inventories have different sites."""
    site = hashlib.blake2b(asset.place.site.encode(errors="replace"), digest_size=4).hexdigest()
    return f"vetuste-{site}-{asset.id}"


def item_type(asset: Asset) -> str:
    """``Computer`` where it is known to be one; ``Unmanaged`` is GLPI's word for what is only seen."""
    roles = {release.role for release in asset.candidates}
    known = bool(roles) and roles <= _COMPUTERS and asset.identity.certainty is not Certainty.HINT
    return "Computer" if known else "Unmanaged"


def fields_of(document: Mapping[str, Any]) -> dict[str, str]:
    """What a document would set, by its place: ``hardware.name``, ``networks.0.mac``."""
    content = {name: part for name, part in document["content"].items() if name != "versionclient"}
    return dict(_flat(content, ""))


def _flat(part: object, before: str) -> Iterator[tuple[str, str]]:
    match part:
        case dict():
            for name, value in part.items():
                yield from _flat(value, f"{before}{name}.")
        case list():
            for place, value in enumerate(part):
                yield from _flat(value, f"{before}{place}.")
        case _:
            yield before.removesuffix("."), str(part)


def system_of(asset: Asset) -> dict[str, str]:
    """Name, full name, version and kernel of its system, as far as all candidates agree; not of a hint."""
    services = any(release.role is Role.SERVICE for release in asset.candidates)
    if not asset.candidates or services or asset.identity.certainty is Certainty.HINT:
        return {}
    return _told(
        name=_agreed(release.product for release in asset.candidates),
        full_name=_agreed(release.name for release in asset.candidates),
        version=asset.identity.attributes.get("version", ""),
        kernel_version=_agreed(build for release in asset.candidates for build in release.builds or ("",)),
    )


def _agreed(values: Iterable[str]) -> str:
    different = set(values)
    return different.pop() if len(different) == 1 else ""


def _system(asset: Asset) -> dict[str, str]:
    _, _, domain = asset.fqdn.partition(".")
    return {**system_of(asset), **_told(fqdn=asset.fqdn, dns_domain=domain)}


def _networks(asset: Asset) -> Iterator[dict[str, str]]:
    for address in (asset.address, *asset.addresses):
        key = "ipaddress6" if ip_address(address).version == 6 else "ipaddress"  # noqa: PLR2004 - of IP
        yield {
            "description": address,
            key: address,
            **_told(mac=asset.mac if address == asset.address else ""),
        }


def _told(**values: str) -> dict[str, str]:
    """What is not empty, safe and short enough."""
    return {key: printable(value, _LONGEST) for key, value in values.items() if value}


def _client() -> str:
    product = installed_version()
    return f"vetuste_v{product}" if product else "vetuste"
