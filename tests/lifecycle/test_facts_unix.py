"""The releases of everything but Windows, against the gathered facts that they were written from."""

from __future__ import annotations

import csv
from typing import Final

import pytest

from scanner.classify.releases import ReleaseSets
from scanner.lifecycle import load_lifecycle
from scanner.model import Role
from tests.corpus import FACTS
from tests.fact_ids import our_id

LIFECYCLE = load_lifecycle()
SETS = ReleaseSets(LIFECYCLE)

FAMILIES: Final = frozenset(
    {
        "debian", "ubuntu", "rhel", "centos", "rocky", "alma", "oraclelinux", "sles", "opensuse", "freebsd",
        "solaris", "aix", "hpux", "esxi", "ontap", "dsm", "macos",
    }
)  # fmt: skip

# Dates of the facts that our lines leave out on purpose: family or row, then which, and why.
LEFT_OUT: Final = {
    ("macos", "end"): "Apple publishes none: they are inferred, or doubted in the notes",
    ("ontap", "released"): "the source estimates them",
    ("aix-6.1-tl9", "released"): "the line stands for the earlier levels too",
    ("aix-7.1-tl5", "released"): "the line stands for the earlier levels too",
    ("sles-10.0", "esu"): "it ends with the general support, so it extends nothing",
    ("sles-11.0", "esu"): "it ends with the general support, so it extends nothing",
}


def _facts() -> list[dict[str, str]]:
    if FACTS is None:
        return []
    with (FACTS / "lifecycle.csv").open(newline="", encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if row["family"] in FAMILIES]


GATHERED = _facts()


def _given(fact: dict[str, str]) -> dict[str, str]:
    return {"released": fact["release_date"], "end": fact["extended_end"], "esu": fact["esu_end"]}


@pytest.mark.parametrize("fact", GATHERED, ids=lambda row: row["product_id"])
def test_the_data_says_what_the_facts_say(fact: dict[str, str]) -> None:
    release = LIFECYCLE.releases[our_id(fact["product_id"])]
    told = {"released": release.released, "end": release.end, "esu": release.esu_end}
    for name, day in _given(fact).items():
        left_out = LEFT_OUT.keys() & {(fact["family"], name), (fact["product_id"], name)}
        assert str(told[name] or "") == ("" if left_out else day), (release.id, name)


def test_nothing_is_left_out_that_is_not_there() -> None:
    for whose, name in LEFT_OUT if GATHERED else ():
        rows = [row for row in GATHERED if whose in {row["family"], row["product_id"]}]
        assert any(_given(row)[name] for row in rows), (whose, name)


def test_no_line_has_a_date_that_the_facts_do_not_give() -> None:
    known = {our_id(row["product_id"]) for row in GATHERED}
    dated = {
        release.id
        for release in LIFECYCLE.releases.values()
        if release.family not in {"Windows", "Windows CE"}
        and release.role is not Role.SERVICE
        and (release.released or release.end or release.esu_ends)
    }
    assert not GATHERED or dated <= known


# --- what a version that a system says of itself stands for


@pytest.mark.parametrize(
    ("product", "build", "wanted"),
    [
        ("Debian", "10.13", "debian-10"),
        ("Debian", "1.1", "debian-1-1"),
        ("Debian", "11", "debian-11"),
        ("Debian", "6.0", "debian-6"),
        ("Ubuntu", "14.04.6", "ubuntu-14-04"),
        ("Red Hat Enterprise Linux", "7.9", "rhel-7"),
        ("Red Hat Linux", "7.3", "rhel-linux-7"),
        ("CentOS", "8", "centos-8 centos-stream-8"),
        ("CentOS", "9", "centos-stream-9"),
        ("Rocky Linux", "9.4", "rocky-9"),
        ("AlmaLinux", "8.10", "alma-8"),
        ("Oracle Linux", "7.9", "oracle-linux-7"),
        ("SUSE Linux Enterprise Server", "12.5", "sles-12-5"),
        ("SUSE Linux Enterprise Server", "12.0", "sles-12-0"),
        ("openSUSE", "15.5", "opensuse-15-5"),
        ("SUSE Linux", "9.3", "opensuse-suse-linux-9"),
        ("Fedora", "38", "fedora-38"),
        ("FreeBSD", "4.1.1", "freebsd-4-1"),
        ("FreeBSD", "14.1", "freebsd-14-1"),
        ("FreeBSD", "14.STABLE", "freebsd-stable-14"),
        ("Solaris", "10", "solaris-10"),
        ("Solaris", "11.3", "solaris-11-3"),
        ("AIX", "7.1", "aix-7-1-tl5"),
        ("AIX", "7.1.3", "aix-7-1-tl5"),
        ("AIX", "7.3", "aix-7-3-tl0 aix-7-3-tl1 aix-7-3-tl2 aix-7-3-tl3 aix-7-3-tl4"),
        ("HP-UX", "11.31", "hp-ux-11iv3"),
        ("HP-UX", "10.20", "hp-ux-10"),
        ("ESXi", "6.7.0", "esxi-6-7"),
        ("ESX", "4.1.0", "esxi-esx-4-1"),
        ("ONTAP", "9.7", "ontap-9-7"),
        ("ONTAP", "9.1", "ontap-9-1"),
        ("ONTAP", "9.10.1", "ontap-9-10-1"),
        ("ONTAP", "9.10.1P3", "ontap-9-10-1"),
        ("DSM", "6.2.4", "dsm-6-2"),
        ("NetWare", "5.00", "unix-netware-5-0 unix-netware-5-1"),
        ("Tru64 UNIX", "5.1B", "unix-tru64-5-1"),
        ("macOS", "10.4.11", "macos-10-4"),
        ("macOS", "14.5", "macos-14"),
    ],
)
def test_a_version_is_one_line_or_every_one_that_says_so(product: str, build: str, wanted: str) -> None:
    found = SETS.names(SETS.allowed({"product": (product,), "build": (build,)}))
    assert found == tuple(wanted.split())


def test_apple_and_cisco_are_two() -> None:
    assert not SETS.allowed({"product": ("IOS",)})
