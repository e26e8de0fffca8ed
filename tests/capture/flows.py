"""Conversations over TCP as frames, and what the ear makes of them."""

from __future__ import annotations

import struct
from ipaddress import ip_address
from typing import TYPE_CHECKING, TypeAlias

from scanner.capture.ear import Ear
from scanner.capture.telling import Frame
from scanner.errors import ProbeError
from scanner.probes import Learnt, Reconnect, Secure, Send

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from tests.probes.told import Told

CLIENT, SERVER = "10.9.0.7", "10.9.0.80"
ASKS, ANSWERS = True, False
Talk: TypeAlias = "list[tuple[bool, bytes]]"
"""Who speaks, the client or not, and what."""
Facts: TypeAlias = dict[str, tuple[str, ...]]
_SYN, _ACK, _PUSH, _FIN = 2, 16, 8, 1
_CLIENT_PORT = 40_000
_START = 0xFFFFFFF0
"""Sequence numbers wrap around soon."""


def segment(by_client: bool, port: int, sequence: int, flags: int, payload: bytes = b"") -> Frame:  # noqa: FBT001 - who speaks
    """One segment in IPv4 and Ethernet; checksums are nobody's business here."""
    ends = (CLIENT, _CLIENT_PORT), (SERVER, port)
    (source, source_port), (target, target_port) = ends if by_client else ends[::-1]
    tcp = struct.pack(">HHIIBBHHH", source_port, target_port, sequence % (1 << 32), 0, 80, flags, 8192, 0, 0)
    addresses = ip_address(source).packed + ip_address(target).packed
    length = 20 + len(tcp) + len(payload)
    ip = struct.pack(">BBHHHBBH", 0x45, 0, length, 1, 0, 128, 6, 0) + addresses
    return Frame(1, 1_700_000_000.0, bytes(6) + b"\0\x1e\xc9\0\0\1" + b"\x08\0" + ip + tcp + payload)


def frames_of(talk: Talk, port: int, size: int = 1460, *, opened: bool = True) -> list[Frame]:
    """The frames of a conversation; without its opening, it is met in the midst."""
    at = {ASKS: _START, ANSWERS: 5000}
    frames = []
    if opened:
        frames += [segment(ASKS, port, _START - 1, _SYN), segment(ANSWERS, port, 4999, _SYN | _ACK)]
    for who, said in talk:
        for start in range(0, len(said), size):
            part = said[start : start + size]
            frames.append(segment(who, port, at[who], _PUSH | _ACK, part))
            at[who] += len(part)
    return [*frames, *(segment(who, port, at[who], _FIN | _ACK) for who in (ASKS, ANSWERS))]


def heard(frames: Iterable[Frame], ear: Ear | None = None) -> tuple[Facts, Facts]:
    """What was learnt of the client, and of the server; what was said twice, once."""
    client: Facts = {}
    server: Facts = {}
    for seen in (ear or Ear()).hear(frames):
        if seen.probe in {"syn", "ttl"}:
            continue
        found = server if seen.endpoint.port else client
        assert seen.endpoint.address == (SERVER if seen.endpoint.port else CLIENT)
        for key, values in seen.evidence.items():
            found[key] = tuple(dict.fromkeys((*found.get(key, ()), *values)))
    return client, server


def overheard(talk: Talk, port: int, size: int = 1460, *, opened: bool = True) -> tuple[Facts, Facts]:
    """What is learnt by listening to a conversation."""
    return heard(frames_of(talk, port, size, opened=opened))


def talks_of(told: Told) -> Iterator[Talk]:
    """What both said in a conversation of the active side, by connection, up to where it is encrypted."""
    waiting = [list(each) for each in told.connections if not isinstance(each, ProbeError)]
    talk: Talk = []
    answers = waiting.pop(0)
    conversation = told.probe.converse(told.peer)
    given: bytes = b""
    try:
        step = next(conversation)
        while not isinstance(step, Secure):
            if isinstance(step, Reconnect):
                yield talk
                talk, answers, given = [], waiting.pop(0), b""
            elif isinstance(step, Send):
                answer = answers.pop(0)
                if isinstance(answer, ProbeError):
                    break
                talk += [(ASKS, step.data)] if step.data else []
                talk.append((ANSWERS, answer))
                given = answer[: step.until(answer) or len(answer)]
            else:
                assert isinstance(step, Learnt)
                given = b""
            step = conversation.send(given)
    except (StopIteration, IndexError, ProbeError):
        pass
    yield talk


def recorded(file: Path) -> Iterator[Frame]:
    """The frames of a classic capture with times in microseconds; none of another."""
    data = file.read_bytes()
    order = {b"\xd4\xc3\xb2\xa1": "<", b"\xa1\xb2\xc3\xd4": ">"}.get(data[:4], "")
    place = 24 if order else len(data)
    link = struct.unpack_from(order + "I", data, 20)[0] & 0xFFFF if order else 0
    while place + 16 <= len(data):
        seconds, micros, length, _ = struct.unpack_from(order + "4I", data, place)
        yield Frame(link, seconds + micros / 1e6, data[place + 16 : place + 16 + length])
        place += 16 + length
