"""A group of hospitals over rough links: who reaches what, and nights in which everything is killed."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.fleet.night import Nights, nights
from tests.fleet.scene import CENTRE, POSTS
from tests.fleet.witness import Turn, out_of_turn, said, trespasses
from tests.integration.scenes import hosts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fleet.scene import Post, Scene

pytestmark = pytest.mark.namespaces


NIGHTS = ("1", "4")
"""Three sites each: six rounds, every misfortune. ``tests/prove/fleet.py`` has a hundred."""


@pytest.fixture(scope="module")
def struck(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nights]:
    with nights(tmp_path_factory.mktemp("nights") / "scene") as made:
        yield made


@pytest.fixture
def stage(struck: Nights) -> Scene:
    return struck.scene


@pytest.mark.parametrize("seed", NIGHTS)
def test_in_the_morning_nothing_is_lost_and_nothing_came_twice(struck: Nights, seed: str) -> None:
    struck.pass_one(seed)


def _asked(post: Post, url: str) -> str:
    """What somebody else's client, at a post, is told by the centre."""
    done = post.machine.run("psql", url, "-Atc", "SELECT current_user, ssl FROM pg_stat_ssl", check=False)
    return done.stdout + done.stderr


def test_a_site_gets_in_by_its_own_certificate_alone(stage: Scene) -> None:
    nord, sud = (stage.sites[key] for key in ("nord", "sud"))
    url, post = nord.environment["VETUSTE_CENTRE"], nord.posts[1]
    assert "nord|t" in _asked(post, url)
    assert "no encryption" in _asked(post, url.replace("verify-full", "disable"))
    stolen = url.replace("nord@", "sud@")
    assert "certificate authentication failed" in _asked(post, stolen)
    foreign = url.replace("keys/ca.crt", "keys/sud.crt")
    assert "certificate verify failed" in _asked(post, foreign)
    assert "sud|t" in _asked(sud.posts[0], sud.environment["VETUSTE_CENTRE"])


def test_there_is_one_way_and_it_leads_to_the_centre(stage: Scene) -> None:
    """A post reaches one port of the centre, which reaches no post, nor any hospital."""
    dialling = ("timeout", "1", "bash", "-c")  # what is dropped is waited for
    site = stage.sites["nord"]
    for post in site.posts:
        reach = f"echo > /dev/tcp/{CENTRE}/"
        assert post.machine.run("timeout", "30", *dialling[2:], reach + "5432", check=False).returncode == 0
        assert post.machine.run(*dialling, reach + "22", check=False).returncode == 124, "dropped"
        assert post.machine.run("ping", "-c1", "-W1", CENTRE, check=False).returncode == 1
    for elsewhere in ("10.254.0.1/445", "10.20.0.1/445"):
        assert stage.centre.run(*dialling, f"echo > /dev/tcp/{elsewhere}", check=False).returncode != 0


def test_the_witness_sees_what_must_not_be(stage: Scene) -> None:
    """Two scanners of one site at once, one of them where nothing may go: the instrument is measured too."""
    site = stage.sites["est"]
    begun = time.time()
    targets = ("10.20.0.1-10.20.0.8", "10.20.0.13-10.20.0.18")
    with stage.watched("witness") as recordings, ExitStack() as running:
        words = ("scan", "--profile", "office", "--rate", "40", "--ports", "445")
        for post, target in zip(site.posts, targets, strict=True):
            running.enter_context(post.product.start(*words, target))
    packets = said(recordings["est"])
    assert {packet.host for packet in trespasses(packets)} == set(hosts("10.20.0.16", 3))
    half = [packet for packet in packets if packet.post == POSTS[0]]
    taken = Turn(begun, 1, 0, "doing")
    assert out_of_turn(packets, [taken]) != []
    assert out_of_turn(half, [taken]) == []
    assert out_of_turn(half, []) == [(None, packet) for packet in half]
    lost = Turn(half[9].at, 1, 1, "todo")
    assert [packet for _, packet in out_of_turn(half, [taken, lost])] == half[9:]
    assert said(recordings["nord"]) == [], "the same addresses elsewhere are others"


def test_the_same_addresses_are_other_machines_at_every_site(struck: Nights) -> None:
    nord, sud, est = (truth.known for truth in struck.truth.values())
    assert set(nord) == set(sud) == set(est)
    for address in nord:
        guids = {known[address]["evidence"]["smb.server_guid"][0] for known in (nord, sud, est)}
        assert len(guids) == 3, address
