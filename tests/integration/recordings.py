"""The hosts of the corpus, and what each of them answers to whom."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.probes.answers import SMB

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tests.probes.answers import Recorded

_ROOT = Path(__file__).parents[2]
_EXTENDED = 0x0800


@dataclass(frozen=True)
class Host:
    """One real host: the answers of its recordings by what they answer."""

    name: str
    service: int
    truth: dict[str, Any] = field(default_factory=dict)
    answers: dict[str, bytes] = field(default_factory=dict)

    def row(self, address: str, port: int) -> dict[str, object]:
        """What the replaying server is told."""
        answers = {kind: answer.hex() for kind, answer in self.answers.items()}
        return {"address": address, "port": port, "service": self.service, "answers": answers}


def _hosts() -> dict[str, Host]:
    found: dict[str, Host] = {}
    for answer in SMB:
        row = answer.row
        capture = row["pcap"].removesuffix(".pcap").rpartition("__")[2]
        name = f"{capture} {row['server_ip']}:{row['server_port']}"
        host = found.setdefault(name, Host(name, row["server_port"], row["truth"]))
        kind = _kind(answer)
        if kind:
            host.answers.setdefault(kind, answer.raw)
    for host in found.values():
        if "smb1 setup" in host.answers and "smb2 setup" not in host.answers:
            # Of its SMB 2 nobody recorded more than the beginning: it is played as if that were off.
            host.answers.pop("wildcard", None)
            host.answers.pop("smb2", None)
    return {name: host for name, host in found.items() if host.answers}


def _kind(answer: Recorded) -> str:
    """What an answer answers; nothing where it fits no request of a scanner that knows no password."""
    row, proto = answer.row, answer.row["parsed"]["proto"]
    if row["kind"] == "negotiate":
        asked = row.get("request_parsed", row["parsed"])["proto"]
        return proto if asked == proto else "wildcard"
    if row["kind"] != "sessionsetup":
        return ""
    plain = not int(row["parsed"].get("flags2", "0x0800"), 16) & _EXTENDED
    return f"{proto} setup" if row.get("ntlm_challenge") or (proto == "smb1" and plain) else ""


HOSTS = _hosts()


def host(part: str) -> Host:
    """The one host whose name has this in it."""
    (found,) = (each for name, each in HOSTS.items() if part in name)
    return found


@contextmanager
def replayed(rows: Iterable[dict[str, object]], prefix: Sequence[str] = ()) -> Iterator[dict[str, int]]:
    """The hosts on the network, played by a process; yields the port that each address listens on.

    A message of the kind that logs on ends that process at once, which fails whoever uses this.
    """
    process = subprocess.Popen(
        [*prefix, sys.executable, "-m", "tests.integration.replaying"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=_ROOT,
    )
    with process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(json.dumps(list(rows)) + "\n")
        process.stdin.flush()
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.stdin.close()
            process.wait(timeout=20)
    assert process.returncode == 0
