"""Every recorded conversation, damaged at random, by the million: evidence, or one of our errors, no more.

``make prove`` runs it. ``VETUSTE_PROVE`` is how many conversations are made of each host's answers (35,000:
a million in all), ``VETUSTE_SEED`` makes others.
"""

from __future__ import annotations

import os
import random
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from scanner.errors import ProbeError
from scanner.model import Endpoint
from scanner.probes.smb import PROBE
from tests.corpus import CORPUS
from tests.integration.recordings import HOSTS
from tests.probes.conversation import Replay

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.recordings import Host

__test__ = CORPUS is not None

CONVERSATIONS = int(os.environ.get("VETUSTE_PROVE", "35000"))
SEED = os.environ.get("VETUSTE_SEED", "1")
MEGABYTES = 8
"""Most that a conversation may have in memory at any time: its answers are at most 64 KiB each."""

_EXTREMES = (0, 1, 0x7F, 0x80, 0xFE, 0xFF)


def _one_byte(message: bytearray, chance: random.Random) -> None:
    message[chance.randrange(len(message))] = chance.randrange(256)


def _extreme(message: bytearray, chance: random.Random) -> None:
    """A field of 1, 2, 4 or 8 bytes at its limit: lengths, offsets, counts."""
    width = chance.choice((1, 2, 4, 8))
    start = chance.randrange(len(message))
    field = bytes([chance.choice(_EXTREMES)]) * width
    message[start : start + width] = field[: len(message) - start]


def _one_bit(message: bytearray, chance: random.Random) -> None:
    message[chance.randrange(len(message))] ^= 1 << chance.randrange(8)


def _cut(message: bytearray, chance: random.Random) -> None:
    """Shorter, and framed as if it were meant so."""
    del message[chance.randrange(4, len(message)) :]
    _reframe(message)


def _taken_out(message: bytearray, chance: random.Random) -> None:
    start = chance.randrange(4, len(message))
    del message[start : start + chance.randrange(1, 32)]
    _reframe(message)


def _put_in(message: bytearray, chance: random.Random) -> None:
    start = chance.randrange(4, len(message))
    message[start:start] = chance.randbytes(chance.randrange(1, 64))
    _reframe(message)


def _swapped(message: bytearray, chance: random.Random) -> None:
    """A piece of the message over another one: plausible fields in the wrong place."""
    width = chance.randrange(1, 16)
    source, target = chance.randrange(len(message)), chance.randrange(4, len(message))
    piece = message[source : source + width]
    message[target : target + len(piece)] = piece
    _reframe(message)


def _reframe(message: bytearray) -> None:
    """The NetBIOS length of an SMB message is made to fit, so that what is behind it is reached."""
    if message[0] == 0:
        message[1:4] = (len(message) - 4).to_bytes(3, "big")


MUTATIONS: tuple[Callable[[bytearray, random.Random], None], ...] = (
    *(_one_byte, _extreme, _one_bit, _cut, _taken_out, _put_in, _swapped),
)


def damaged(message: bytes, chance: random.Random) -> bytes:
    """The message with one to three wounds."""
    wounded = bytearray(message)
    for _ in range(chance.randint(1, 3)):
        if len(wounded) > 4:
            chance.choice(MUTATIONS)(wounded, chance)
    return bytes(wounded)


def connections_of(host: Host) -> list[list[bytes]]:
    """The host's answers in the order in which a conversation hears them, connection by connection."""
    granted = [bytes.fromhex("82000000")] * (host.service == 139)
    smb2 = [host.answers[kind] for kind in ("wildcard", "smb2", "smb2 setup") if kind in host.answers]
    smb1 = [host.answers[kind] for kind in ("smb1", "smb1 setup") if kind in host.answers]
    refused: list[list[bytes]] = [[]] if smb2 and "wildcard" not in host.answers else []
    return [*refused, *([*granted, *answers] for answers in (smb2, smb1) if answers)]


def conversation(host: Host, chance: random.Random) -> list[list[bytes]]:
    """The host's connections, with one answer damaged, or each, or all but the first."""
    mode = chance.randrange(3)
    connections = connections_of(host)
    answers = [(row, column) for row, each in enumerate(connections) for column in range(len(each))]
    chosen = {0: {chance.choice(answers)}, 1: set(answers), 2: set(answers[1:])}[mode]
    return [
        [
            damaged(answer, chance) if (row, column) in chosen else answer
            for column, answer in enumerate(answers_of_one)
        ]
        for row, answers_of_one in enumerate(connections)
    ]


@pytest.mark.parametrize("host", HOSTS.values(), ids=HOSTS)
def test_damage_is_an_error_of_ours_at_worst(host: Host) -> None:
    chance = random.Random(f"{SEED} {host.name}")
    endpoint = Endpoint("192.0.2.1", host.service)
    ends = {"whole": 0, "broken": 0}
    for number in range(CONVERSATIONS):
        heard = Replay(conversation(host, chance)).hold(
            PROBE, endpoint
        )  # any other error leaves here and fails
        assert heard.error is None or isinstance(heard.error, ProbeError)
        ends["broken" if heard.error else "whole"] += 1
        for key, value in heard.evidence.items():
            for text in (value,) if isinstance(value, str) else value:
                assert text.isprintable(), (number, key, text)
                assert 0 < len(text) <= 256, (number, key, text)
        PROBE.redact(tuple(heard.raw))
    assert ends["broken"] > CONVERSATIONS // 100, "damage is felt"
    if any("setup" in kind for kind in host.answers):
        assert ends["whole"] > CONVERSATIONS // 100, "and it is not always fatal"


@pytest.mark.parametrize("host", HOSTS.values(), ids=HOSTS)
def test_damage_takes_no_memory(host: Host) -> None:
    chance = random.Random(f"{SEED} memory {host.name}")
    endpoint = Endpoint("192.0.2.1", host.service)
    Replay(connections_of(host)).hold(PROBE, endpoint)
    tracemalloc.start()
    try:
        for _ in range(max(1, CONVERSATIONS // 20)):
            Replay(conversation(host, chance)).hold(PROBE, endpoint)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < MEGABYTES << 20
