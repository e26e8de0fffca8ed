"""Asks what is on port 135, through impacket, without a logon: two lines of JSON, each as soon as possible.

The first has the ``interfaces`` that the endpoint mapper lists ([C706] appendix O), the second the
``version`` of COM and the ``addresses`` of the host ([MS-DCOM] 3.1.2.5.1.6, ServerAlive2). The request's
``port`` is one of loopback.
"""

from __future__ import annotations

import json
import sys
from struct import pack
from typing import Any, Final
from uuid import UUID

_IP: Final = (0x07, 0x08)
"""Tower ids of TCP and UDP ([MS-DCOM] 2.2.19.3)."""
_PAGES: Final = 4
_ENTRIES: Final = 250
"""As many as are asked for at a time; a domain controller has about 700."""


def main(request: str) -> None:
    """Ask both, each over a connection of its own."""
    from impacket.dcerpc.v5 import (  # type: ignore[import-untyped] # noqa: PLC0415 - only this process may
        dcomrt,
        epm,
        rpcrt,
        transport,
    )

    port = json.loads(request)["port"]
    for asking in (_interfaces, _exporter):
        carried = transport.DCERPCTransportFactory(f"ncacn_ip_tcp:127.0.0.1[{port}]")
        carried.set_connect_timeout(10)
        dce = carried.get_dce_rpc()
        try:
            dce.connect()
            said = asking(dce, epm, dcomrt)
        except (rpcrt.DCERPCException, OSError) as error:
            said = {"refused": str(error)[:200]}
        sys.stdout.write(json.dumps(said) + "\n")
        sys.stdout.flush()
        carried.disconnect()


def _interfaces(dce: Any, epm: Any, _dcomrt: Any) -> dict[str, object]:  # noqa: ANN401 - impacket has no types
    """Page after page; impacket's own loop loses all where the last one is an error, as Samba's is."""
    dce.bind(epm.MSRPC_UUID_PORTMAP)
    found: set[str] = set()
    handle: Any = epm.ept_lookup_handle_t()
    for _ in range(_PAGES):
        asked = epm.ept_lookup()
        asked["inquiry_type"], asked["object"], asked["Ifid"] = epm.RPC_C_EP_ALL_ELTS, epm.NULL, epm.NULL
        asked["vers_option"], asked["entry_handle"] = epm.RPC_C_VERS_ALL, handle
        asked["max_ents"] = _ENTRIES
        try:
            answer = dce.request(asked)
        except epm.DCERPCException:
            if not found:
                raise
            break
        for entry in answer["entries"]:
            tower = epm.EPMTower(b"".join(entry["tower"]["tower_octet_string"]))
            floor = tower["Floors"][0]
            uuid = UUID(bytes_le=floor["InterfaceUUID"])
            found.add(f"{uuid} v{floor['MajorVersion']}.{floor['MinorVersion']}")
        handle = answer["entry_handle"]
        if handle.isNull():
            break
    return {"interfaces": sorted(found)}


def _exporter(dce: Any, _epm: Any, dcomrt: Any) -> dict[str, object]:  # noqa: ANN401 - the same
    dce.bind(dcomrt.IID_IObjectExporter)
    answer = dce.request(dcomrt.ServerAlive2())
    version = answer["pComVersion"]
    bindings = answer["ppdsaOrBindings"]
    left = b"".join(pack("<H", word) for word in bindings["aStringArray"])[: bindings["wSecurityOffset"] * 2]
    found = []
    while left[:2] not in {b"", b"\0\0"}:
        binding = dcomrt.STRINGBINDING(left)
        left = left[len(binding) :]
        if binding["wTowerId"] in _IP:
            found.append(binding["aNetworkAddr"].rstrip("\0"))
    return {"version": f"{version['MajorVersion']}.{version['MinorVersion']}", "addresses": found}


if __name__ == "__main__":
    main(sys.argv[1])
