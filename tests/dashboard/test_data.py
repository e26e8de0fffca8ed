"""The data in use: the same figures as the command's, and the whole list of ends."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from html import unescape
from typing import TYPE_CHECKING

import pytest

from scanner.dashboard import sources
from scanner.data import data_directories, data_files, data_version, use_own
from scanner.fingerprints import read_fingerprints
from scanner.lifecycle import load_lifecycle, unchecked

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from starlette.testclient import TestClient

    from scanner.dashboard.house import House

    Client = Callable[..., TestClient]


def names(client: TestClient, address: str) -> list[str]:
    """The releases on all pages of a list."""
    found: list[str] = []
    for _ in range(60):
        page = client.get(address).text
        table = page[page.index('id="releases"') : page.index('id="files"')]
        found += map(unescape, re.findall(r'<th scope="row"><bdi class="name">([^<]*)</bdi>', table))
        following = re.search(r'rel="next" href="([^"]+)"', table)
        if following is None:
            return found
        address = unescape(following[1])
    raise AssertionError("the list does not end")


def test_the_figures_are_those_of_the_files(client: Client) -> None:
    page = client().get("/data").text
    told = sources.figures()
    assert told.releases == len(load_lifecycle().releases)
    for figure in (told.releases, told.fingerprints, told.keys, len(sources.files())):
        assert f"{figure:,}" in page
    assert data_version() in page


def test_fingerprints_are_counted_as_the_check_counts_them(tmp_path: Path) -> None:
    shipped = data_directories()[0]
    several = [file for file in shipped.glob("*.toml") if "\nalso = " in file.read_text("utf-8")]
    smallest = sorted(shipped.glob("*.toml"), key=lambda file: file.stat().st_size)[:5]
    for file in {*smallest, min(several, key=lambda file: file.stat().st_size)}:
        (tmp_path / file.name).write_bytes(file.read_bytes())
    by_key = read_fingerprints(tmp_path).by_key
    files = sources.files_of((tmp_path,))
    assert sum(file.entries for file in files) == sum(map(len, by_key.values()))
    assert frozenset[str]().union(*(file.keys for file in files)) == set(by_key)


def test_every_file_is_listed_with_all_that_it_holds(client: Client) -> None:
    page = client().get("/data").text
    files = sources.files()
    assert len(files) == sum(len(data_files(directory)) for directory in data_directories())
    for file in files:
        assert file.name in page
    assert sum(file.entries for file in files if file.kind == "release") == len(load_lifecycle().releases)
    assert all(file.entries for file in files if file.kind == "fingerprint")
    assert all(file.sources for file in files if file.kind == "release")
    assert str(data_directories()[0]) not in page


def test_every_end_of_support_is_in_one_of_the_lists_once_and_in_order(house: House, client: Client) -> None:
    dated = [each for each in load_lifecycle().releases.values() if each.end]
    coming = sorted((each.end, each.id, each.name) for each in dated if each.end and each.end >= house.today)
    past = sorted((each.end, each.id, each.name) for each in dated if each.end and each.end < house.today)
    assert names(client(), "/data") == [name for *_, name in coming]
    assert names(client(), "/data?ends=past") == [name for *_, name in reversed(past)]


@pytest.mark.parametrize("text", ["xp", "WINDOWS", "é", "windows-xp-sp3", "<script>alert(1)</script>", '"'])
def test_a_release_is_found_by_what_people_call_it(client: Client, text: str) -> None:
    wanted = text.casefold()
    expected = [
        each.name
        for each in load_lifecycle().releases.values()
        if any(wanted in part.casefold() for part in (each.id, each.name, each.product, each.vendor))
    ]
    assert names(client(), f"/data?q={text}") == expected or not expected
    page = client().get("/data", params={"q": text}).text
    assert "<script>alert" not in page
    assert (not expected) is ("No release is called so." in page)


def test_what_nobody_checked_for_a_year_is_named(house: House, client: Client) -> None:
    assert "Nobody has checked these" not in client().get("/data").text
    house.now = lambda: datetime(2031, 1, 1, tzinfo=UTC)
    page = client().get("/data").text
    old = unchecked(load_lifecycle().releases.values(), house.today)
    assert old
    assert "Nobody has checked these" in page
    assert f"{len(old):,}" in page


def test_the_sites_own_data_is_told_from_what_ships(client: Client, tmp_path: Path) -> None:
    own = tmp_path / "own-data"
    (own / "lifecycle").mkdir(parents=True)
    (own / "lifecycle" / "modalities.toml").write_text(
        'source = "the maker <b>"\nchecked = 2026-11-01\nfamily = "Modality"\nvendor = "Acme"\n'
        'product = "Scan"\n'
        '[release]\n1 = { name = "Scan 1", end = 2030-01-01 }\n',
        encoding="utf-8",
    )
    use_own(lambda: own)
    try:
        page = client().get("/data?q=scan 1").text
    finally:
        use_own(None)
    assert "modalities.toml" in page
    assert "own-data" in page
    assert "the site&#39;s" in page
    assert str(tmp_path) not in page
    assert "<b>" not in page


def test_what_is_too_long_is_refused(client: Client) -> None:
    assert client().get("/data", params={"q": "x" * 201}).status_code == 400
    assert client().get("/data", params={"after": "x" * 5000}).status_code == 200


def test_dates_that_are_the_same_keep_their_order(house: House) -> None:
    some = next(each for each in load_lifecycle().releases.values() if each.end)
    twins = [replace(some, id=name) for name in ("b", "a", "c")]
    assert some.end
    past = some.end < house.today
    assert [each.id for each in sources.ends(twins, house.today, past=past)] in (
        ["a", "b", "c"],
        ["c", "b", "a"],
    )
