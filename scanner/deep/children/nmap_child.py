"""Asks nmap, through python-nmap (GPL-3.0-or-later): one line of JSON for each run, as soon as it has ended.

Each of the request's ``runs`` has a ``port`` of loopback, the ``service`` that this is taken for, and nmap's
``arguments``.
"""

from __future__ import annotations

import json
import shlex
import shutil
import sys
from pathlib import Path
from typing import Final

_SHARED: Final = ("nse_main.lua", "nselib", "scripts")
"""nmap's own data, which are used wherever they are found: not those that somebody keeps in ``~/.nmap``."""


def main(request: str) -> None:
    """Make every run, one after the other."""
    import nmap  # type: ignore[import-untyped] # noqa: PLC0415 - only this process may

    found = shutil.which("nmap")
    if found is None:
        raise SystemExit("nmap is not installed")
    data = Path.cwd()  # of this process's own
    for name in _SHARED:
        shared = Path(found).resolve().parents[1] / "share" / "nmap" / name
        if shared.exists():
            (data / name).symlink_to(shared)
    scanner = nmap.PortScanner(nmap_search_path=(found,))
    for number, run in enumerate(json.loads(request)["runs"]):
        services = f"{run['service']}\t{run['port']}/tcp\t1.0\n"
        (data / "nmap-services").write_text(services, encoding="ascii")
        words = [*run["arguments"], "--datadir", str(data)]
        scanner.scan("127.0.0.1", str(run["port"]), shlex.join(words))  # without arguments it adds -sV
        output = scanner.get_nmap_last_output()
        xml = output if isinstance(output, str) else output.decode("utf-8", "replace")
        sys.stdout.write(json.dumps({"run": number, "xml": xml}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
