"""What is learnt by listening to the active side's conversations is what the active side learns itself."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final

import pytest

from scanner.capture.sources import sources
from scanner.errors import ProbeError
from tests.capture.flows import CLIENT, Facts, frames_of, heard, overheard, talks_of
from tests.probes.damage import damaged
from tests.probes.told import all_told

if TYPE_CHECKING:
    from tests.probes.told import Told

HEARD: Final = (
    "ftp", "http", "imap", "ldap", "mssql", "mysql", "pop3", "postgresql", "rdp", "smtp", "ssh", "telnet",
    "tls", "vnc", "winrm",
)  # fmt: skip
CONVERSATIONS: Final = [told for told in all_told().values() if told.probe.name in HEARD]
each_told = pytest.mark.parametrize(
    "told", CONVERSATIONS, ids=[f"{told.probe.name}: {told.name}" for told in CONVERSATIONS]
)
OURS: Final = (
    "vetuste.invalid",
    "vetuste (inventory of unmaintained systems)",
    "vetuste",
    "2.0",
    "TLS 1.2",
    "TLS 1.0",
)
"""What the active side says of itself: name, program, SSH, and the TLS that it offers."""
DEPENDS: Final = frozenset({
    "http.location", "http.favicon", "http.status", "http.title", "mssql.encryption", "tls.cipher",
    "winrm.product",
})  # fmt: skip
"""What depends on who asks, or on what he asks for, and so is not told of what others asked."""
NOT_OPEN: Final = frozenset({"ftp.banner", "imap.banner", "pop3.banner", "smtp.banner", "mysql.error"})
"""What is told where nobody is turned away."""
UNHEARD: Final = frozenset({
    "ssh: SSH 1 alone, after a warning",  # it does not begin as SSH does
    "winrm: Windows 7, which says what stack it has",  # its challenge is behind an answer that is no refusal
})  # fmt: skip


def port(told: Told) -> int:
    return told.service or told.probe.ports[0]


def values(given: str | tuple[str, ...]) -> set[str]:
    return {given} if isinstance(given, str) else set(given)


def listened(told: Told, size: int = 1460) -> tuple[Facts, Facts]:
    """What is learnt of both ends over all connections."""
    ends: tuple[Facts, Facts] = {}, {}
    for talk in talks_of(told):
        for kept, found in zip(ends, overheard(talk, port(told), size), strict=True):
            for key, said in found.items():
                kept[key] = tuple(dict.fromkeys((*kept.get(key, ()), *said)))
    return ends


@each_told
def test_what_is_heard_is_what_is_learnt_by_asking(told: Told) -> None:
    _, server = listened(told)
    for key, said in server.items():
        if key == "rdp.nla":  # whether it insists, a second connection shows
            assert set(said) <= {"no", "required", "supported"}
        elif key != "http.cookie":
            assert set(said) <= values(told.evidence[key]), key


@each_told
def test_all_that_is_in_clear_is_heard(told: Told) -> None:
    if f"{told.probe.name}: {told.name}" in UNHEARD or not _is_in_clear(told):
        return
    _, server = listened(told)
    missing = told.evidence.keys() - server.keys() - DEPENDS - NOT_OPEN
    if missing == {"ssh.hostkey"}:  # of several keys, it is not the one that the probe is shown
        kind = str(told.evidence["ssh.hostkey"]).split()[0]
        assert kind != "ssh-ed25519"
        return
    assert not missing


def _is_in_clear(told: Told) -> bool:
    """Whether all of its answers can be heard: none is in TLS, none comes after a failure."""
    answers = [answer for one in told.connections if not isinstance(one, ProbeError) for answer in one]
    return [said for talk in talks_of(told) for who, said in talk if not who] == answers


@each_told
def test_of_the_client_nothing_is_said_but_what_it_says_itself(told: Told) -> None:
    client, _ = listened(told)
    for key, said in client.items():
        assert all(word in OURS or word.startswith("vetuste") for word in said), (key, said)


@each_told
def test_small_segments_say_the_same(told: Told) -> None:
    assert listened(told, 41) == listened(told)


@each_told
def test_segments_out_of_order_and_twice_say_the_same(told: Told) -> None:
    chance = random.Random(8)
    for talk in talks_of(told):
        frames = frames_of(talk, port(told), 41)
        opening, said, ending = frames[:2], frames[2:-2], frames[-2:]
        shuffled = list(said)
        for place in range(len(said) - 1):
            if said[place].data[26:38] == said[place + 1].data[26:38] and not chance.randrange(3):
                shuffled[place : place + 2] = [shuffled[place + 1], shuffled[place]]
        again = [frame for frame in shuffled for _ in range(1 + (not chance.randrange(4)))]
        assert heard([*opening, *again, *ending]) == heard(frames)


@each_told
def test_whatever_is_cut_or_damaged_nothing_breaks(told: Told) -> None:
    known = {key for source in sources() for key in source.keys}
    chance = random.Random(8)
    for talk in talks_of(told):
        for place, (who, said) in enumerate(talk):
            lengths = range(len(said)) if len(said) < 11 else chance.sample(range(len(said)), 10)
            spoilt = [said[:length] for length in lengths] + [damaged(said, chance) for _ in range(8)]
            for one in spoilt:
                client, server = overheard([*talk[:place], (who, one), *talk[place + 1 :]], port(told))
                assert client.keys() | server.keys() <= known


@each_told
def test_of_a_conversation_met_in_the_midst_nothing_false_is_told(told: Told) -> None:
    for talk in talks_of(told):
        whole = overheard(talk, port(told))
        for start in range(len(talk)):
            midst = overheard(talk[start:], port(told), opened=False)
            for known, found in zip(whole, midst, strict=True):
                for key in found.keys() & set(told.probe.keys):
                    stated = values(told.evidence.get(key, ())) | set(known.get(key, ()))
                    assert set(found[key]) <= stated, (start, key)


def test_addresses_are_those_of_who_spoke() -> None:
    client, server = overheard([(True, b"SSH-2.0-one\r\n"), (False, b"SSH-2.0-other\r\n")], 22)
    assert (client["ssh.banner"], server["ssh.banner"]) == (("one",), ("other",)), CLIENT
