"""MAC addresses of neighbours, over a cable: what the kernel knows, and nothing sent for it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.integration.scenes import scene

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.namespaces


def test_a_neighbour_has_its_mac_and_who_is_behind_a_router_none(tmp_path: Path) -> None:
    with scene("near", tmp_path) as stage:
        cable = stage.cable
        mac = cable.adjoin("10.77.0.0/24")
        for namespace, device, place in ((cable.scanner, 0, 1), (cable.hospital, 1, 2)):
            where = ("dev", cable.ends[device], "nodad")
            namespace.run("ip", "-6", "address", "add", f"fd77::{place}/64", *where)
        stage.site('subnets = ["10.77.0.0/30"]', 'subnets = ["10.77.1.0/30"]', 'subnets = ["fd77::2/128"]')
        stage.product.run("scan", "--profile", "office")
        known = stage.product.exported()
        assert {ip: row["mac"] for ip, row in known.items()} == {
            **{f"10.77.0.{n}": mac for n in range(4)},
            **{f"10.77.1.{n}": None for n in range(4)},
            "fd77::2": mac,
        }
        ledger = json.loads(stage.product.run("ledger", "--json").stdout)
        assert {row["transport"] for row in ledger} == {"tcp"}
        assert sum(":" not in row["address"] for row in ledger) == stage.attempts()
        assert "neighbour" in {seen["probe"] for seen in stage.product.explain("10.77.0.1")["observations"]}
