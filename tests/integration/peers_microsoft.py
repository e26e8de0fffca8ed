"""Peers that speak Microsoft's protocols: Samba's name server, in a namespace of its own."""

from __future__ import annotations

import ctypes
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from tests.integration.peers import SAMBA, SAMBA_FOLDERS, ended

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.namespaces import Namespace

_NETWORK = 0x40000000
"""CLONE_NEWNET of setns(2)."""
_Result = TypeVar("_Result")


def inside(namespace: Namespace, call: Callable[[], _Result]) -> _Result:
    """Call something in a thread that has entered a namespace: sockets that it makes are the namespace's."""

    def entered() -> _Result:
        descriptor = os.open(Path("/run/netns", namespace.name), os.O_RDONLY)
        try:
            assert not ctypes.CDLL(None, use_errno=True).setns(descriptor, _NETWORK), ctypes.get_errno()
        finally:
            os.close(descriptor)
        return call()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(entered).result()


@contextmanager
def nmbd(folder: Path, address: str, namespace: Namespace) -> Iterator[None]:
    """Debian's nmbd in the foreground; it serves no loopback address."""
    for name in SAMBA_FOLDERS:
        (folder / name).mkdir(parents=True)
    paths = {
        f"{name} {'dir' if name in {'private', 'ncalrpc'} else 'directory'}": str(folder / name)
        for name in SAMBA_FOLDERS
    }
    settings = {**SAMBA, **paths, "interfaces": address, "local master": "no"}
    file = folder / "smb.conf"
    lines = [f"{key} = {value}" for key, value in settings.items()]
    file.write_text("\n".join(["[global]", *lines, ""]), encoding="utf-8")
    process = namespace.start(
        *("nmbd", "--foreground", "--no-process-group", "--debug-stdout", "-s", file, "-l", folder),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    with ended(process):
        yield
