"""What GLPI gets: documents by its own schema, a plan of them, and a file for Data Injection."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.exports.glpi_documents import device_id, document_of, fields_of
from scanner.model import Certainty, Identity
from tests.exports.hostile import NAS, WORDS, XP, crowd, machine, named, written

if TYPE_CHECKING:
    from scanner.inventory.rows import Asset

SCHEMA = next(
    (
        json.loads(file.read_text("utf-8"))
        for parent in Path(__file__).parents
        for file in [parent / "shared" / "peers" / "glpi" / "inventory.schema.json"]
        if file.is_file()
    ),
    None,
)
"""GLPI's own, where the shared files are beside the checkout; what we know of it, elsewhere."""
KNOWN = {
    "type": "object",
    "required": ["deviceid", "content"],
    "additionalProperties": False,
    "properties": {
        "deviceid": {"type": "string"},
        "itemtype": {"enum": ["Computer", "Unmanaged"]},
        "partial": {"const": True},
        "action": {"const": "inventory"},
        "tag": {"type": "string"},
        "content": {"type": "object", "required": ["versionclient"]},
    },
}
VALIDATORS = [
    jsonschema.Draft7Validator(each, format_checker=jsonschema.FormatChecker())
    for each in filter(None, (SCHEMA, KNOWN))
]


def documents(assets: list[Asset]) -> list[Any]:
    with zipfile.ZipFile(io.BytesIO(written("glpi", assets))) as archive:
        assert archive.testzip() is None
        return [json.loads(archive.read(name)) for name in archive.namelist()]


def valid(document: object) -> bool:
    return not any(list(validator.iter_errors(document)) for validator in VALIDATORS)


def test_every_document_of_a_hostile_inventory_is_valid_by_the_schema_of_glpi() -> None:
    found = documents(crowd())
    assert len(found) == len(WORDS) + 3
    assert all(valid(document) for document in found)
    assert not valid({**found[0], "itemtype": "Toaster"})


@settings(max_examples=50)
@given(st.text(max_size=300))
def test_any_name_makes_a_valid_document_that_glpi_can_store(word: str) -> None:
    document = document_of(named(word))
    assert document is not None
    assert valid(json.loads(json.dumps(document)))
    assert all(len(value) <= 255 and value.isprintable() for value in fields_of(document).values())


def test_what_an_agent_manages_is_proposed_nothing() -> None:
    managed = machine(7, XP, name="PC", managed=True)
    assert documents([managed]) == []
    (plan,) = csv.DictReader(
        io.StringIO(written("glpi-plan", [managed], "en").decode("utf-8-sig")), delimiter=";"
    )
    assert (plan["effect"], plan["fields"]) == ("left out: an agent manages it", "")
    assert written("glpi-injection", [managed]) == written("glpi-injection", [])


def test_a_document_names_what_is_known_and_touches_nothing_else() -> None:
    asset = machine(
        7, XP, name="PC-7", fqdn="pc-7.chu.example", domain="CHU", mac="00:11:22:33:44:55",
        addresses=("2001:db8::7",),
    )  # fmt: skip
    (document,) = documents([asset])
    assert (document["itemtype"], document["partial"]) == ("Computer", True)
    content = document["content"]
    assert content.pop("versionclient").startswith("vetuste")
    assert content == {
        "hardware": {"name": "PC-7", "workgroup": "CHU"},
        "operatingsystem": {
            "name": "Windows XP", "full_name": "Windows XP SP3", "kernel_version": "5.1.2600",
            "fqdn": "pc-7.chu.example", "dns_domain": "chu.example",
        },
        "networks": [
            {"description": "10.20.0.7", "ipaddress": "10.20.0.7", "mac": "00:11:22:33:44:55"},
            {"description": "2001:db8::7", "ipaddress6": "2001:db8::7"},
        ],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("asset", "kind"),
    [
        (machine(1, XP), "Computer"),
        (machine(1, XP, NAS), "Unmanaged"),
        (machine(1, NAS), "Unmanaged"),
        (machine(1), "Unmanaged"),
        (machine(1, XP, identity=Identity(("w-xp",), Certainty.HINT)), "Unmanaged"),
    ],
)
def test_only_what_is_known_to_be_a_computer_is_called_one(asset: Asset, kind: str) -> None:
    (document,) = documents([asset])
    assert document["itemtype"] == kind
    assert ("operatingsystem" in document["content"]) == (
        bool(asset.candidates)
        and asset.identity.certainty is Certainty.CERTAIN
        and len(asset.candidates) == 1
    )


def test_the_same_asset_keeps_its_device_and_other_sites_have_others() -> None:
    asset = machine(7, XP)
    moved = replace(asset, address="10.20.9.9", name="NEW")
    elsewhere = replace(asset, place=replace(asset.place, site="Clinic"))
    assert device_id(asset) == device_id(moved) != device_id(elsewhere)


def test_the_plan_shows_every_field_that_the_documents_set() -> None:
    assets = [machine(number, XP, name=f"PC-{number}") for number in range(1, 5)]
    text = written("glpi-plan", assets, "en", dialect="rfc4180").decode()
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    for row, document in zip(rows, documents(assets), strict=True):
        assert row["deviceid"] == document["deviceid"]
        assert row["fields"] == " | ".join(f"{key}={value}" for key, value in fields_of(document).items())


def test_data_injection_reads_every_row_whole_as_php_does() -> None:
    """fgetcsv takes a backslash for an escape: the same rows must come out whether one does or not."""
    text = written("glpi-injection", crowd(), "fr").decode()
    assert not text.startswith("\ufeff")
    plain = list(csv.reader(io.StringIO(text, newline=""), delimiter=";"))
    escaping = list(csv.reader(io.StringIO(text, newline=""), delimiter=";", escapechar="\\"))
    assert plain == escaping
    assert {len(row) for row in plain} == {9}
    assert plain[0] == [
        "nom",
        "numero_serie",
        "systeme",
        "version_systeme",
        "lieu",
        "mac",
        "ip",
        "commentaire",
        "type",
    ]
    assert not any(
        cell.lstrip("\" '")[:1] in tuple("=+-@") and cell[:1] != "'" for row in plain for cell in row
    )
    assert len(plain) == len(crowd())
