"""Many sites: what belongs together is added up, what a visitor may not see is in no figure."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

import pytest

from scanner.dashboard.house import House
from scanner.inventory import ROLL_UP, open_inventory
from tests.inventory.group import TOTALS, build
from tests.inventory.hospital import NOON

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.dashboard.visits import Visit

_ROW = re.compile(r"<tr>((?:(?!</tr>).)*?/machines\?status=unsupported&amp;(?:(?!</tr>).)*)</tr>", re.DOTALL)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    url = f"sqlite:///{tmp_path}/inventory.db"
    with open_inventory(url, create=True) as inventory:
        build(inventory, tmp_path)
    house = House(url, now=lambda: NOON)
    yield house
    house.close()


def rolled(page: str) -> dict[tuple[str, ...], tuple[int, int]]:
    """By the names that the link to the machines asks for: without support, and seen."""
    found = {}
    for row in _ROW.findall(page):
        (link,) = re.findall(r'href="(/machines\?[^"]*)"', row)
        asked = dict(parse_qsl(urlsplit(unescape(link)).query))
        gone, seen = re.findall(r'<td class="n">(\d+)</td>', row)[:2]
        names = tuple(asked.get(name, "") for name in ROLL_UP)
        while not names[-1]:
            names = names[:-1]
        found[names] = int(gone), int(seen)
    return found


@pytest.mark.parametrize("path", ["/", "/wards"])
def test_groups_and_establishments_are_the_sums_of_their_sites(client: Visit, path: str) -> None:
    page = client().get(path).text
    assert rolled(page) == TOTALS


@pytest.mark.parametrize("names", TOTALS, ids="/".join)
@pytest.mark.parametrize("path", ["/wards", "/machines"])
def test_a_link_shows_what_its_row_counts(client: Visit, names: tuple[str, ...], path: str) -> None:
    gone, seen = TOTALS[names]
    asked = {key: name for key, name in zip(ROLL_UP, names, strict=False) if name}
    page = client().get(path, params=asked).text
    if path == "/machines":
        assert f"{seen} machines." in page
        assert f"{gone} machines." in client().get(path, params={**asked, "status": "unsupported"}).text
        export = client().get("/machines/export/jsonl", params=asked)
        assert len(export.text.splitlines()) == seen
    else:
        foot = page[page.index("<tfoot>") :]
        assert re.findall(r'<td class="n">(\d+)</td>', foot)[:3:2] == [str(gone), str(seen)]


def test_what_a_visitor_may_not_see_is_not_counted(client: Visit) -> None:
    page = client(sites=("Nord", "Île")).get("/wards").text
    assert rolled(page) == {
        ("GHT",): (7, 10),
        ("GHT", "CHU", "Nord"): (5, 7),
        ("GHT", "Île", "Île"): (2, 3),
    }
    assert "Sud" not in page
    assert "Ailleurs" not in page
    page = client(wards=("Bloc",)).get("/").text
    assert rolled(page)["GHT",] == (3, 3)  # one at each of its sites


def test_machines_of_the_same_address_are_told_apart_by_their_site(client: Visit) -> None:
    page = client().get("/machines").text
    for site in ("Nord", "Sud", "Île", "Ailleurs"):
        assert f'<small><bdi class="name">{site}</bdi></small>' in page


@pytest.mark.parametrize("path", ["/", "/wards"])
def test_of_one_site_nothing_is_rolled_up(client: Visit, path: str) -> None:
    page = client(sites=("Nord",)).get(path).text
    assert rolled(page) == {}
    assert 'id="sites"' not in page


def test_filters_are_offered_where_there_is_a_choice(client: Visit) -> None:
    for path in ("/wards", "/machines"):
        page = client().get(path).text
        assert all(f'name="{name}"' in page for name in ("establishment", "site"))
        assert 'name="group"' not in page  # there is one
        alone = client(sites=("Nord",)).get(path).text
        assert not any(f'name="{name}"' in alone for name in ROLL_UP)
