"""``python -m tests.integration.replaying``: plays hosts with answers that real ones gave.

It reads its hosts as one line of JSON, prints the port of each address when it listens, and ends with its
standard input. An answer is given only to a request that it fits, with the client's identifiers copied into
it; to any other request the connection is closed, as systems do that have switched a protocol off.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from dataclasses import dataclass
from functools import partial
from typing import Any

_REQUEST, _GRANTED = 0x81, bytes.fromhex("82000000")
_DIALECT = b"\x02NT LM 0.12\0"
_SMB2 = (b"\x02SMB 2.???\0", b"\x02SMB 2.002\0")
_EXTENDED = 0x0800
_LOGS_ON = b"NTLMSSP\0\3\0\0\0"
_CAUGHT = 66


@dataclass(frozen=True)
class Machine:
    """One host on the network."""

    address: str
    port: int
    service: int
    answers: dict[str, bytes]

    def answer(self, request: bytes) -> bytes:
        """What it says to a message; nothing where it hangs up."""
        if _LOGS_ON in request:
            sys.stderr.write("a message that logs on\n")
            os._exit(_CAUGHT)
        if request[0] == _REQUEST:
            return _GRANTED if self.service == 139 else b""
        if request[4:8] == b"\xfeSMB":
            kind = {0: "smb2", 1: "smb2 setup"}.get(int.from_bytes(request[16:18], "little"), "")
            found = self.answers.get(kind, b"")
            return found and found[:28] + request[28:52] + found[52:]
        return self._smb1(request)

    def _smb1(self, request: bytes) -> bytes:
        if request[8] == 0x73:
            return _with_ids(self.answers.get("smb1 setup", b""), request)
        if request[8] != 0x72:
            return b""
        if "wildcard" in self.answers and any(dialect in request for dialect in _SMB2):
            return self.answers["wildcard"]
        found = self.answers.get("smb1", b"")
        if not found or _DIALECT not in request:
            return b""
        before = request[39 : request.index(_DIALECT)]
        index = before.count(b"\x02").to_bytes(2, "little")
        return _with_ids(found[:37] + index + found[39:], request)


def _with_ids(answer: bytes, request: bytes) -> bytes:
    return answer and answer[:28] + request[28:36] + answer[36:]


async def _converse(machine: Machine, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = await reader.readexactly(4)
            answer = machine.answer(head + await reader.readexactly(int.from_bytes(head[1:], "big")))
            if not answer:
                break
            writer.write(answer)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def _serve(rows: list[dict[str, Any]]) -> None:
    ports = {}
    shared: dict[int, int] = {}
    for row in rows:
        answers = {kind: bytes.fromhex(answer) for kind, answer in row["answers"].items()}
        machine = Machine(row["address"], row["port"], row["service"], answers)
        port = machine.port or shared.get(machine.service, 0)
        server = await asyncio.start_server(partial(_converse, machine), machine.address, port)
        ports[machine.address] = server.sockets[0].getsockname()[1]
        shared[machine.service] = ports[machine.address]
    sys.stdout.write(json.dumps(ports) + "\n")
    sys.stdout.flush()
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_serve(json.loads(sys.stdin.readline())))
