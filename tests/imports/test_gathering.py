"""What is strewn over a file is brought together host by host, whatever the size of the file."""

from __future__ import annotations

import random
import tracemalloc
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from scanner.addresses import number_of
from scanner.imports.gathering import MOST, Gathered
from scanner.imports.heard import observation
from scanner.inventory.beside import united
from scanner.model import Observation, Transport
from tests.imports import large
from tests.imports.samples import told

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import pytest

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def seen(
    address: str, words: dict[str, str | tuple[str, ...]] | None = None, port: int = 22, probe: str = "ssh"
) -> Observation:
    return observation((address, port, Transport.TCP), probe, NOON, words or {})


def together(observations: Iterable[Observation], run: int = 1 << 20) -> dict[str, tuple[Observation, ...]]:
    with Gathered(run) as gathered:
        for each in observations:
            gathered.add(each)
        return dict(gathered.hosts())


ADDRESSES = st.sampled_from(
    ["10.0.0.1", "10.0.0.2", "9.255.255.255", "::1", "2001:db8::7", "255.255.255.255"]
)
SEEN = st.builds(
    seen,
    ADDRESSES,
    st.dictionaries(st.sampled_from(["ssh.banner", "ssh.kex"]), st.text(min_size=1, max_size=9), max_size=2),
    st.sampled_from([22, 2222]),
)


@given(observations=st.lists(SEEN, max_size=40), run=st.sampled_from([1, 400, 1 << 20]))
def test_runs_on_disk_make_no_difference(observations: list[Observation], run: int) -> None:
    found = together(observations, run)
    assert found == together(observations)
    assert set(found) == {each.endpoint.address for each in observations}
    assert list(found) == sorted(found, key=number_of)
    for address, heard in found.items():
        mine = [each for each in observations if each.endpoint.address == address]
        assert _sets(heard) == _sets(mine)
        assert all(each.endpoint.address == address for each in heard)


def _sets(observations: Iterable[Observation]) -> dict[str, set[str]]:
    return {key: set(values) for key, values in united(observations).items()}


def test_words_of_one_probe_at_one_endpoint_are_one_observation() -> None:
    late = observation(("10.0.0.1", 22, Transport.TCP), "ssh", NOON + timedelta(1), {"ssh.kex": ("b", "a")})
    (host,) = together([seen("10.0.0.1", {"ssh.kex": "a", "ssh.banner": "x"}), late]).values()
    assert told(host) == {"10.0.0.1:22/tcp ssh": {"ssh.kex": ("a", "b"), "ssh.banner": ("x",)}}
    assert [each.at for each in host] == [NOON + timedelta(1)]


def test_that_a_port_is_open_is_said_where_nothing_else_is() -> None:
    (host,) = together(
        [
            seen("10.0.0.1", probe="nmap"),
            seen("10.0.0.1", {"ssh.kex": "a"}),
            seen("10.0.0.1", port=80, probe="nmap"),
        ]
    ).values()
    assert list(told(host)) == ["10.0.0.1:22/tcp ssh", "10.0.0.1:80/tcp nmap"]


def test_a_host_that_never_ends_is_cut() -> None:
    (host,) = together(seen("10.0.0.1", {"ssh.kex": str(n)}, port=n + 1) for n in range(MOST + 9)).values()
    assert len(host) == MOST
    (host,) = together(seen("10.0.0.1", {"ssh.kex": str(n)}) for n in range(MOST + 9)).values()
    assert len(united(host)["ssh.kex"]) == 16


def test_moments_and_services_come_back_as_they_were() -> None:
    moved = observation(
        ("10.0.0.1", 2200, Transport.TCP), "ssh", NOON + timedelta(microseconds=123456), {"ssh.kex": "a"}
    )
    assert together([moved], run=1) == {"10.0.0.1": (moved,)}
    assert moved.endpoint.service == 22


def test_no_file_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    together((seen(large.address(n), {"ssh.kex": "a" * 200}) for n in range(500)), run=1000)
    assert list(tmp_path.iterdir()) == []


def test_memory_is_that_of_a_run_however_many_hosts_there_are() -> None:
    chance = random.Random(1)
    places = [chance.randrange(1 << 22) for _ in range(40_000)]
    tracemalloc.start()
    try:
        with Gathered(1 << 20) as gathered:
            for place in places:
                gathered.add(seen(large.address(place), {"ssh.banner": f"OpenSSH_{place % 9}.{place % 7}p1"}))
            hosts = sum(1 for _ in gathered.hosts())
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert hosts == len(set(places))
    assert most < 4 << 20
