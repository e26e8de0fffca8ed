"""The least that the same SMB exchange can cost: an event loop, fixed bytes, nothing understood.

``python -m tests.bench.bare_loop PORT < addresses`` prints a JSON line with the hosts that answered, and the
processor seconds of the loop alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import resource
import sys
import time

import uvloop

from scanner.probes import smb1, smb2

IN_FLIGHT = 200
ASK_SMB2 = (smb2.negotiate_request(1), smb2.session_setup_request(2))
ASK_SMB1 = (smb1.SETUP_SPNEGO,)


async def hear(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readexactly(4)
    return await reader.readexactly(int.from_bytes(head[1:], "big"))


async def speak(address: str, port: int, first: bytes) -> bool:
    """One connection: a negotiation, then whatever the dialect wants next. Whether it was SMB 2."""
    reader, writer = await asyncio.open_connection(address, port)
    writer.write(first)
    try:
        modern = (await hear(reader))[:1] == b"\xfe"
        for request in ASK_SMB2 if modern else ASK_SMB1:
            writer.write(request)
            await hear(reader)
    finally:
        writer.close()
    return modern


async def visit(address: str, port: int) -> bool:
    try:
        async with asyncio.timeout(4):
            if await speak(address, port, smb1.NEGOTIATE_ANY):
                with contextlib.suppress(OSError, asyncio.IncompleteReadError):  # SMB 1 is off
                    await speak(address, port, smb1.NEGOTIATE_SMB1)
    except (OSError, TimeoutError, asyncio.IncompleteReadError):
        return False
    return True


async def sweep(addresses: list[str], port: int) -> int:
    waiting = iter(addresses)
    answered = 0

    async def worker() -> None:
        nonlocal answered
        for address in waiting:
            if await visit(address, port):
                answered += 1

    async with asyncio.TaskGroup() as group:
        for _ in range(IN_FLIGHT):
            group.create_task(worker())
    return answered


def main() -> None:
    addresses = sys.stdin.read().split()
    cpu, wall = time.process_time(), time.perf_counter()
    answered = uvloop.run(sweep(addresses, int(sys.argv[1])))
    print(  # noqa: T201 - the result of this program
        json.dumps(
            {
                "hosts": len(addresses),
                "answered": answered,
                "cpu": time.process_time() - cpu,
                "wall": time.perf_counter() - wall,
                "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            }
        )
    )


if __name__ == "__main__":
    main()
