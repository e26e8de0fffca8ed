"""Tables of wards become tables of a site file, or nothing at all."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.config import load_site
from scanner.config.ward_table import ward_table
from scanner.errors import ConfigError
from scanner.imports import Source
from scanner.imports.wards import read_wards
from tests.imports.register_samples import NOW
from tests.inventory.hospital import site_file

if TYPE_CHECKING:
    from pathlib import Path

    from scanner.config import SiteFile, Ward

FRENCH = """Service;Bâtiment;Étage;Unité fonctionnelle;Propriétaire;VLAN;Sous-réseau(x);Criticité
Réanimation "polyvalente";B;2;4211;biomédical;120;10.60.0.0/24 10.60.1.0/24;critique
Cardiologie;C;;;DSI;VLAN 121;10.60.2.0/255.255.255.0;Élevée
Cardiologie;C;;;DSI;VLAN 121;2001:db8:0:1::/64;élevée
"""


def wards(
    text: str | bytes, site: SiteFile | None = None, *, public: bool = False
) -> tuple[list[Ward], list[str]]:
    content = text if isinstance(text, bytes) else text.encode()
    found, mistakes = read_wards(
        Source(io.BufferedReader(io.BytesIO(content)), "file", NOW), site, public=public
    )
    return list(found), [str(each) for each in mistakes]


def mistakes(text: str, site: SiteFile | None = None) -> list[str]:
    found, wrong = wards(text, site)
    assert not found
    return wrong


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_a_table_becomes_tables_of_a_site_file(tmp_path: Path, encoding: str, delimiter: str) -> None:
    text = FRENCH.replace(";", delimiter).replace(
        'Réanimation "polyvalente"', '"Réanimation ""polyvalente"""'
    )
    found, wrong = wards(text.encode(encoding))
    assert wrong == []
    target = tmp_path / "site.toml"
    target.write_text('[site]\nname = "CHU"\n\n' + "\n".join(map(ward_table, found)), encoding="utf-8")
    one, two = load_site(target).wards
    assert (one.name, one.building, one.floor, one.unit, one.owner, one.vlan, one.criticality) == (
        'Réanimation "polyvalente"', "B", "2", "4211", "biomédical", 120, "vital",
    )  # fmt: skip
    assert one.subnets == ("10.60.0.0/24", "10.60.1.0/24")
    assert (two.subnets, two.criticality) == (("10.60.2.0/24", "2001:db8:0:1::/64"), "high")


def test_a_mask_may_stand_beside_and_a_last_line_needs_no_end() -> None:
    found, wrong = wards("ward,network,mask\nA,10.1.0.0,255.255.0.0\nB,10.2.0.0,/24")
    assert wrong == []
    assert [each.subnets for each in found] == [("10.1.0.0/16",), ("10.2.0.0/24",)]


HEAD = "ward;subnets;vlan;criticality;building\n"


@pytest.mark.parametrize(
    ("rows", "wrong"),
    [
        (["A;10.1.0.5/24;;;"], ["file:2: subnets[1]: '10.1.0.5/24' has bits set behind its prefix"]),
        (["A;10.1.0.0;;;"], ["file:2: subnets: 10.1.0.0 has no prefix"]),
        (["A;10.1.0/24;;;"], ["file:2: subnets[1]: '10.1.0/24' is no network"]),
        (["A;;;;"], ["file:2: subnets: must not be empty"]),
        ([";10.1.0.0/24;;;"], ["file:2: name: must not be empty"]),
        (["A;8.8.8.0/24;;;"], ["file:2: 8.8.8.0/24 has public addresses"]),
        (["A;0.0.0.0/0;;;"], ["file:2: subnets[1]: '0.0.0.0/0' holds addresses that no machine can have"]),
        (
            ["A;10.1.0.0/16;;;", "B;10.1.2.0/24;;;"],
            ["file:3: 10.1.2.0/24 overlaps 10.1.0.0/16 of the ward 'A'"],
        ),
        (["A;10.1.0.0/24;;;", "A;10.1.0.0/24;;;"], ["file:3: 10.1.0.0/24 overlaps"]),
        (["A;10.1.0.0/24;;;B", "a;10.1.1.0/24;;;C"], ["file:3: 'a' is the name of the ward in line 2"]),
        (["A;10.1.0.0/24;5000;;"], ["file:2: vlan: is 5000; the most is 4094"]),
        (["A;10.1.0.0/24;x;;"], ["file:2: vlan: 'x' is no VLAN"]),
        (["A;10.1.0.0/24;;peut-être;"], ["file:2: criticality: is 'peut etre'"]),
        (["A;10.1.0.0/24;;"], ["file:2: has 4 columns"]),
        (["A;10.1.0.9/24;;;", "B;10.2.0.0;;;"], ["file:2: ", "file:3: "]),
    ],
)
def test_every_mistake_is_named_by_its_line_and_keeps_back_everything(
    rows: list[str], wrong: list[str]
) -> None:
    found = mistakes(HEAD + "\n".join([*rows, "Good;10.99.0.0/24;;;", ""]))
    assert len(found) == len(wrong)
    assert all(one.startswith(other) for one, other in zip(found, wrong, strict=True)), found


def test_public_addresses_stand_where_they_are_meant() -> None:
    found, wrong = wards(f"{HEAD}A;8.8.8.0/24;;;\n", public=True)
    assert ([each.subnets for each in found], wrong) == ([("8.8.8.0/24",)], [])


def test_what_the_site_file_has_is_left_out_and_what_overlaps_it_is_a_mistake(tmp_path: Path) -> None:
    site = site_file(tmp_path)
    ward = site.wards[0]
    same = "".join(f"{ward.name};{subnet};;;\n" for subnet in ward.subnets)
    found, wrong = wards(f"{HEAD}{same}Neu;10.99.0.0/24;;;\n", site)
    assert ([each.name for each in found], wrong) == (["Neu"], [])
    (text,) = mistakes(f"{HEAD}Neu;{ward.subnets[0]};;;\n", site)
    assert "which the site file has" in text


@pytest.mark.parametrize("content", [b"", b"x", b"Nom;Pr\xe9nom\nA;B\n", b"\x00" * 99])
def test_another_table_is_refused(content: bytes) -> None:
    with pytest.raises(ConfigError, match="no table of wards"):
        wards(content)


@given(st.binary(max_size=200))
def test_noise_is_refused_or_named(noise: bytes) -> None:
    found, wrong = wards(HEAD.encode() + noise)
    assert not (found and wrong)
