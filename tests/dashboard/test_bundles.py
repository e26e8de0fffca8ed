"""Bundles that programs send: only those of who may, only what is whole, and no browser at all."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from scanner.dashboard.house import House
from scanner.dashboard.pages.bundles import PAGES
from scanner.dashboard.visitor import Role
from scanner.inventory import open_inventory, scans_rows
from tests.audit.signing import new_key, public, ssh_sign
from tests.bundles.forging import forged, members
from tests.bundles.hospitals import carried, ours, scan, ward
from tests.dashboard.doors import Doors, sign_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from httpx2 import Response
    from starlette.testclient import TestClient


@pytest.fixture
def bundle(tmp_path: Path) -> bytes:
    """A signed one; who may speak for its site is in ``allowed_signers``."""
    key = new_key(tmp_path / "key")
    (tmp_path / "allowed_signers").write_text(f'"CHU" {public(key)}\n')
    (tmp_path / "allowed_signers").chmod(0o644)
    with open_inventory(f"sqlite:///{tmp_path}/there.db", create=True) as there:
        whole = carried(there, scan(there, ours(tmp_path), ward())).getvalue()
    parts = members(whole)
    return forged(parts, signature=ssh_sign(key, dict(parts)["SHA256SUMS"], "vetuste-bundle"))


@pytest.fixture
def doors(tmp_path: Path) -> Iterator[Doors]:
    open_inventory(f"sqlite:///{tmp_path}/centre.db", create=True).close()
    house = House(f"sqlite:///{tmp_path}/centre.db", signers=tmp_path / "allowed_signers")
    yield Doors(house, tmp_path)
    house.close()


def post(browser: TestClient, token: str, content: bytes, **more: str) -> Response:
    headers = {
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/x-www-form-urlencoded",
        **more,
    }
    return browser.post("/bundles", content=content, headers=headers)


def scans(doors: Doors) -> int:
    return len(scans_rows(doors.house.inventory))


def test_a_program_sends_a_bundle_and_again(doors: Doors, bundle: bytes) -> None:
    token = doors.give("site", Role.OPERATOR)
    answer = post(doors.browser(), token, bundle)
    assert (answer.status_code, answer.json()["hosts"], answer.json()["already"]) == (200, 6, False)
    assert answer.headers.get_list("set-cookie") == []
    again = post(doors.browser(), token, bundle)
    assert (again.status_code, again.json()["already"], scans(doors)) == (200, True, 1)
    lines = [json.loads(line) for line in doors.log.read_text().splitlines()]
    told = [(line["event"], line["visitor"]) for line in lines]
    assert told == [("bundle", "site"), ("change", "site")] * 2
    assert "scan 1 of CHU" in lines[0]["what"]


@pytest.mark.parametrize("role", [Role.READER, Role.REMEDIATOR])
def test_who_is_no_operator_sends_none(doors: Doors, bundle: bytes, role: Role) -> None:
    assert post(doors.browser(), doors.give("x", role), bundle).status_code == 403
    assert post(doors.browser(), "wrong", bundle).status_code == 401
    assert doors.browser().post("/bundles", content=bundle).status_code == 401
    assert scans(doors) == 0


def test_no_browser_sends_one(doors: Doors, bundle: bytes) -> None:
    """Neither with a session and the token of its form, nor with a cookie beside a program's token."""
    browser, token = doors.browser(), doors.give("x", Role.OPERATOR)
    sign_in(browser, token)
    state = {"x-csrf": doors.access.forgery.token(browser.cookies["vetuste"], "x")}
    assert browser.post("/bundles", content=bundle, headers=state).status_code == 403
    assert post(browser, token, bundle).status_code == 403
    for headers in ({"Origin": "https://elsewhere.example"}, {"Sec-Fetch-Site": "cross-site"}):
        assert post(doors.browser(), token, bundle, **headers).status_code == 403
    assert scans(doors) == 0
    assert ("forged", "x") in doors.events()


@pytest.mark.parametrize(
    ("limits", "status"),
    [({"sites": ("CHU",)}, 200), ({"sites": ("CH",)}, 403), ({"wards": ("Bloc",)}, 403)],
)
def test_whoever_sees_a_part_brings_no_more_than_that(
    doors: Doors, bundle: bytes, limits: dict[str, tuple[str, ...]], status: int
) -> None:
    token = doors.give("x", Role.OPERATOR, **{name: frozenset(each) for name, each in limits.items()})
    assert post(doors.browser(), token, bundle).status_code == status
    assert scans(doors) == (status == 200)


def test_what_is_damaged_or_unsigned_is_refused_in_words(doors: Doors, bundle: bytes) -> None:
    token = doors.give("x", Role.OPERATOR)
    for content, says in (
        (bundle[:-1], "changed or cut"),
        (b"", "no bundle"),
        (forged(members(bundle)), "not signed"),
        (forged(members(bundle), signature=b"x"), "damaged"),
    ):
        answer = post(doors.browser(), token, content)
        assert answer.status_code == 422
        assert says in answer.json()["refused"]
        assert str(doors.folder) not in answer.text
    assert scans(doors) == 0


def test_it_takes_no_more_than_it_says(doors: Doors) -> None:
    token, (page,) = doors.give("x", Role.OPERATOR), PAGES
    received: list[int] = []

    def endless() -> Iterator[bytes]:
        while sum(received) < 2 * page.takes:
            received.append(1 << 24)
            yield bytes(1 << 24)

    headers = {"Authorization": f"Bearer {token}"}
    answer = doors.browser().post("/bundles", content=endless(), headers=headers)
    assert answer.status_code == 413
    assert scans(doors) == 0


def test_without_signers_none_is_taken(doors: Doors, bundle: bytes) -> None:
    doors.house.signers = None
    assert post(doors.browser(), doors.give("x", Role.OPERATOR), bundle).status_code == 404
    assert scans(doors) == 0


def test_a_file_of_signers_that_others_may_change_is_told_to_the_log_alone(
    doors: Doors, bundle: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    (doors.folder / "allowed_signers").chmod(0o666)
    answer = post(doors.browser(), doors.give("x", Role.OPERATOR), bundle)
    assert answer.status_code == 503
    assert "allowed_signers" not in answer.text
    assert "others could change" in caplog.text
    assert scans(doors) == 0
