from __future__ import annotations

import csv
import io
import json
import re
import stat
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.errors import ConfigError, InventoryError
from scanner.exports import Format, Options, formats
from scanner.exports.cells import cell_of, harmless, row_writer
from scanner.exports.columns import AUDIT
from scanner.exports.files import write_file
from scanner.inventory.findings.risk import evidence_that_counts, risk_of
from scanner.inventory.findings.rows import Finding
from scanner.inventory.findings.states import Standing, State
from scanner.inventory.rows import Asset, Place
from scanner.lifecycle import Policy, judge
from scanner.model import Certainty, Identity, Release, Role, Status

if TYPE_CHECKING:
    from collections.abc import Iterator

TODAY = date(2026, 11, 23)
FRENCH = [
    "ght", "etablissement", "finess", "site", "batiment", "etage", "service_uf", "vlan", "sous_reseau",
    "id_actif", "nom_netbios", "fqdn", "domaine", "ip", "autres_ip", "mac", "constructeur", "type",
    "proprietaire", "os_famille", "os_libelle", "os_version", "os_build", "editions_possibles",
    "methode", "preuves", "certitude", "statut_support", "fin_support_min", "fin_support_max",
    "fin_esu", "source_cycle_de_vie", "smb1", "signature_smb", "nla_rdp", "premiere_vue",
    "derniere_vue", "action", "echeance",
]  # fmt: skip
ENGLISH = [
    "group", "establishment", "finess", "site", "building", "floor", "unit", "vlan", "subnet",
    "asset_id", "netbios_name", "fqdn", "domain", "ip", "other_ips", "mac", "manufacturer", "type",
    "owner", "os_family", "os_name", "os_version", "os_build", "possible_editions", "method",
    "evidence", "certainty", "support_status", "support_end_min", "support_end_max", "esu_end",
    "lifecycle_source", "smb1", "smb_signing", "rdp_nla", "first_seen", "last_seen", "action", "due",
]  # fmt: skip

XP = Release(
    "w-xp", "Windows XP SP3", "Windows XP", "Windows", "Microsoft", Role.CLIENT, ("5.1.2600",),
    end=date(2014, 4, 8), source="vendor.test/lifecycle",
)  # fmt: skip
TEN = Release(
    "w-10", "Windows 10 22H2", "Windows 10", "Windows", "Microsoft", Role.CLIENT, ("10.0.19045",),
    end=date(2025, 10, 14), esu_ends=(date(2028, 10, 10),),
)  # fmt: skip
LTSC = Release(
    "w-10-l", "Windows 10 LTSC", "Windows 10", "Windows", "Microsoft", Role.CLIENT, end=date(2027, 1, 12)
)
NEW = Release("w-11", "Windows 11", "Windows 11", "Windows", "Microsoft", Role.CLIENT, end=date(2030, 1, 1))
UNDATED = Release("s", "Samba", "Samba", "Linux", "Samba team")


def asset(
    *candidates: Release,
    number: int = 1,
    certainty: Certainty = Certainty.CERTAIN,
    ward: str = "Réa",
    **more: object,
) -> Asset:
    made = Asset(
        id=number,
        place=Place(
            "CHU", "000000000", "GHT", "", ward, "B", "2", "1234", "DSI", "12", subnet="10.20.0.0/24"
        ),
        address=f"10.20.0.{number}",
        identity=Identity(tuple(each.id for each in candidates), certainty),
        verdict=judge(candidates, TODAY, Policy()),
        candidates=candidates,
        first_seen=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        last_seen=datetime(2026, 11, 20, 8, 0, tzinfo=UTC),
        name=f"PC-{number}",
        evidence={"smb.native_os": ("Windows 5.1",), "smb.signing": ("disabled",)},
        asked=frozenset({"smb"}),
    )
    return replace(made, **more)  # type: ignore[arg-type]


def _format(name: str) -> Format:
    return next(each for each in formats() if each.name == name)


def _written(name: str, *assets: Asset, **options: str) -> str:
    stream = io.StringIO(newline="")
    assert _format(name).write(assets, stream, Options(TODAY, **options)) >= 0  # type: ignore[arg-type]
    return stream.getvalue()


def _rows(text: str, separator: str = ",") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=separator))


def _runs(cell: str) -> bool:
    """Whether some spreadsheet takes it for a formula; an apostrophe in front says that it is text."""
    return bool(re.match(r"""[\s"]*[=+\-@\uff1d\uff0b\uff0d\uff20]""", cell))


def test_formats_are_found_by_being_there() -> None:
    assert {"csv", "glpi", "glpi-injection", "glpi-plan", "jsonl", "prometheus", "remediation", "xlsx"} <= {
        each.name for each in formats()
    }
    here = Path(__file__).parents[2] / "scanner" / "exports"
    assert len(formats()) == sum("FORMAT: Final" in each.read_text("utf-8") for each in here.glob("*.py"))


@pytest.mark.parametrize(
    "form", [form for form in formats() if not (form.binary or form.counts)], ids=lambda form: form.name
)
@pytest.mark.parametrize("lang", ["fr", "en"])
def test_every_format_takes_any_asset_in_any_language_and_dialect(form: Format, lang: str) -> None:
    assets = [
        asset(XP),
        asset(TEN, XP, number=2),
        asset(number=3),
        asset(UNDATED, number=4),
        asset(NEW, number=5),
    ]
    for dialect in (*form.dialects, ""):
        stream = io.StringIO(newline="")
        number = form.write(assets, stream, Options(TODAY, lang, dialect))
        lines = [line for line in re.split(r"\r?\n", stream.getvalue()) if line]
        assert len(lines) - number in (0, 1)
        assert form.write([], io.StringIO(newline=""), Options(TODAY, lang, dialect)) == 0
    with pytest.raises(ConfigError, match="has no dialect 'excel-de'"):
        form.write(assets, io.StringIO(), Options(TODAY, lang, "excel-de"))


def test_the_audit_columns_are_those_of_the_contract() -> None:
    assert [column.fr for column in AUDIT] == FRENCH
    assert [column.en for column in AUDIT] == ENGLISH
    french = _written("csv", asset(XP))
    english = _written("csv", asset(XP), lang="en", dialect="rfc4180")
    assert french.startswith("\ufeff" + ";".join(FRENCH) + "\r\n")
    assert english.startswith(",".join(ENGLISH) + "\r\n")
    assert french.count("\r\n") == english.count("\r\n") == 2
    assert french.count("\n") == 2


def test_an_audit_row_says_everything_that_is_known() -> None:
    (row,) = _rows(_written("csv", asset(XP), lang="en", dialect="rfc4180"))
    assert {key: value for key, value in row.items() if value} == {
        "group": "GHT", "establishment": "CHU", "finess": "000000000", "site": "CHU", "building": "B",
        "floor": "2", "unit": "Réa (1234)", "vlan": "12", "subnet": "10.20.0.0/24", "asset_id": "1",
        "netbios_name": "PC-1",
        "ip": "10.20.0.1", "mac": "not asked", "manufacturer": "not asked", "type": "client", "owner": "DSI",
        "os_family": "Windows", "os_name": "Windows XP SP3", "os_build": "5.1.2600",
        "possible_editions": "Windows XP SP3", "method": "smb",
        "evidence": "smb.native_os=Windows 5.1 | smb.signing=disabled", "certainty": "certain",
        "support_status": "unsupported", "support_end_min": "2014-04-08", "support_end_max": "2014-04-08",
        "lifecycle_source": "vendor.test/lifecycle", "smb1": "not asked", "smb_signing": "disabled",
        "rdp_nla": "not asked", "first_seen": "2026-01-02T03:04:05Z", "last_seen": "2026-11-20T08:00:00Z",
        "action": "isolate it, then replace it", "due": "2014-04-08",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("more", "smb1", "signing"),
    [
        ({"asked": frozenset(), "evidence": {}}, "not asked", "not asked"),
        ({"evidence": {}}, "", ""),
        ({"evidence": {"smb.smb1": ("no",), "smb.signing": ("required",)}}, "no", "required"),
        ({"evidence": {"smb2.max_transact": ("1",)}}, "not asked", ""),
    ],
)
def test_what_was_not_asked_says_so_and_what_was_not_answered_is_empty(
    more: dict[str, Any], smb1: str, signing: str
) -> None:
    (row,) = _rows(_written("csv", replace(asset(XP), **more), lang="en", dialect="rfc4180"))
    assert (row["smb1"], row["smb_signing"]) == (smb1, signing)


@pytest.mark.parametrize(
    "text",
    [
        "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", '"=1', "'=1", ' " =1', "\uff1d1",
        "a;=1", "a, =1",
        'a";"=cmd|x', "\u2019=1", "\u200b=1", "\x00=1",
    ],
)  # fmt: skip
def test_no_spreadsheet_runs_a_cell_whichever_separator_it_believes_in(text: str) -> None:
    for dialect in ("excel-fr", "rfc4180"):
        stream = io.StringIO(newline="")
        row_writer(stream, Options(TODAY, dialect=dialect)).writerow([harmless(text), "x"])
        for separator in ";,\t|":
            written = io.StringIO(stream.getvalue().removeprefix("\ufeff"), newline="")
            for row in csv.reader(written, delimiter=separator):
                assert not any(_runs(cell) for cell in row)


@given(st.text())
def test_a_cell_obeys_nobody_and_loses_nothing_that_can_be_read(text: str) -> None:
    cell = harmless(text)
    assert cell == "" or cell.isprintable()
    assert cell[:1] not in tuple("=+-@\t\r")
    plain = re.sub(r"[\t\r\n\v\f]+", " ", text)
    if plain.isprintable():
        assert cell.replace("'", "") == plain.replace("'", "")


@given(
    st.lists(st.lists(st.text(), min_size=2, max_size=4), max_size=5),
    st.sampled_from(["excel-fr", "rfc4180"]),
)
def test_rows_come_back_as_they_were_written(rows: list[list[str]], dialect: str) -> None:
    stream = io.StringIO(newline="")
    writer = row_writer(stream, Options(TODAY, dialect=dialect))
    clean = [[harmless(cell) for cell in row] for row in rows]
    for row in clean:
        writer.writerow(row)
    text = stream.getvalue().removeprefix("\ufeff")
    assert (
        list(csv.reader(io.StringIO(text, newline=""), delimiter=";" if dialect == "excel-fr" else ","))
        == clean
    )


@given(st.lists(st.text(alphabet=st.sampled_from("a;,|\"' =\r\n\t\x00é")), min_size=2))
def test_cells_are_quoted_as_the_csv_module_quotes_them(texts: list[str]) -> None:
    for dialect, separator in (("excel-fr", ";"), ("rfc4180", ",")):
        options, stream = Options(TODAY, dialect=dialect), io.StringIO(newline="")
        row_writer(stream, options).writerow([harmless(text) for text in texts])
        cell = cell_of(options)
        assert stream.getvalue().removeprefix("\ufeff") == separator.join(map(cell, texts)) + "\r\n"


@given(st.text(min_size=1, max_size=20), st.text(min_size=1, max_size=20))
def test_a_hostile_name_stays_one_line_of_json_and_one_row_of_csv(name: str, value: str) -> None:
    hostile = asset(XP, name=name, evidence={"smb.native_os": (value,)})
    lines = (
        _written("jsonl", hostile, lang="en").splitlines()
        if name.isprintable() and value.isprintable()
        else []
    )
    for line in lines:
        assert (json.loads(line)["name"], json.loads(line)["evidence"]) == (name, {"smb.native_os": [value]})
    for dialect, separator in (("excel-fr", ";"), ("rfc4180", ",")):
        assert len(_rows(_written("csv", hostile, dialect=dialect), separator)) == 1


def test_a_json_line_is_that_of_the_contract() -> None:
    line = json.loads(_written("jsonl", asset(XP, TEN), lang="en"))
    wanted = {
        "id", "site", "ward", "ip", "addresses", "mac", "name", "domain", "status", "certainty", "os",
        "candidates", "earliest", "latest", "reasons", "evidence", "first_seen", "last_seen",
    }  # fmt: skip
    assert wanted <= set(line)
    assert line["candidates"][0] == {
        "release": "w-xp", "name": "Windows XP SP3", "product": "Windows XP", "role": "client",
        "end": "2014-04-08",
    }  # fmt: skip
    assert (line["status"], line["earliest"], line["latest"]) == ("unsupported", "2014-04-08", "2025-10-14")
    assert (line["mac"], line["addresses"]) == (None, ["10.20.0.1"])
    assert any("Windows XP SP3" in reason for reason in line["reasons"])
    unknown = json.loads(_written("jsonl", asset()))
    assert (unknown["status"], unknown["os"], unknown["candidates"]) == ("unknown", None, [])


def finding(number: int, cause: str, state: State = State.OPEN, note: str = "", **more: Any) -> Finding:  # noqa: ANN401 - a finding's other columns
    moment = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
    return Finding(number, 1, cause, Standing(state, **more), moment, moment, note)


def test_remediation_says_how_pressing_a_machine_is_and_why() -> None:
    evidence: dict[str, tuple[str, ...]] = {
        "smb.smb1": ("yes",),
        "rdp.nla": ("no",),
        "telnet.banner": ("",),
        "telnet.options": ("DO 1",),
    }
    evidence |= {
        "vnc.version": ("3.8",),
        "vnc.security": ("none", "vnc"),
        "tls.version": ("TLS 1.2", "TLS 1.0"),
    }
    machine = asset(
        XP,
        evidence=evidence,
        findings=(
            finding(7, "smb1", State.WAIVED, until=date(2027, 1, 2), measure="VLAN"),
            finding(8, "unsupported", State.PLANNED, "=ordered", owner="DSI", due=date(2027, 3, 1)),
            finding(9, "rdp-without-nla", State.CLOSED, "gone"),
        ),
    )
    (row,) = _rows(_written("remediation", machine, lang="en", dialect="rfc4180"))
    assert row["why"] == (
        "unsupported +40, 151 months past support +30, certain +10, SMB1 +20, "
        "remote desktop without NLA +15, VNC without a password +20, telnet +10, old TLS +5"
    )
    assert int(row["score"]) == sum(map(int, re.findall(r"[+-]\d+", row["why"]))) == 150
    assert row["findings"] == "7: SMB1 is on (waived) | 8: no longer supported (planned)"
    assert (row["state"], row["assigned_to"], row["deadline"]) == ("planned / waived", "DSI", "2027-03-01")
    assert (row["waived_until"], row["measure"], row["note"]) == ("2027-01-02", "VLAN", "'=ordered")
    assert row["if_medical_device"] == ""


def test_remediation_leaves_out_what_is_done_and_keeps_the_order_it_is_given() -> None:
    machines = [
        asset(TEN, number=1, findings=(finding(1, "unsupported"),)),
        asset(XP, number=2),
        asset(XP, number=3, findings=(finding(3, "unsupported", State.CLOSED),)),
        asset(XP, number=4, findings=(finding(4, "unsupported", State.REPLACED),)),
        asset(XP, number=5, findings=(finding(5, "unsupported", State.ISOLATED),)),
    ]
    rows = _rows(_written("remediation", *machines, lang="en", dialect="rfc4180"))
    assert [(row["order"], row["ip"], row["state"]) for row in rows] == [
        ("1", "10.20.0.1", "open"),
        ("2", "10.20.0.5", "isolated"),
    ]


@pytest.mark.parametrize(
    "more",
    [
        *(
            {"identity": Identity(("w-xp",), Certainty.CERTAIN, attributes={"device": word})}
            for word in ("medical", "medical device", "medical system")
        ),
        {"evidence": {"dicom.class_uid": ("1.2.840",)}},
        {"evidence": {"hl7.sending_application": ("LAB",)}},
        {"place": Place("CHU", ward="R", owner="Biomedical")},
    ],
)
def test_where_a_ce_mark_may_stand_remediation_says_what_can_be_done(more: dict[str, Any]) -> None:
    machine = asset(XP, findings=(finding(1, "unsupported"),), **more)
    (row,) = _rows(_written("remediation", machine, lang="en", dialect="rfc4180"))
    for words in ("(EU) 2017/745", "MDCG 2019-16", "manufacturer", "VLAN", "no Internet", "waive it"):
        assert words in row["if_medical_device"]
    assert "SMB1" not in row["if_medical_device"]
    machine = replace(machine, evidence={**machine.evidence, "smb.smb1": ("yes",)})
    (row,) = _rows(_written("remediation", machine, dialect="rfc4180"))
    assert "SMB1" in row["si_dispositif_medical"]


@given(
    st.sampled_from([(), (XP,), (TEN,), (TEN, LTSC), (LTSC,), (NEW,)]),
    st.sampled_from(Certainty),
    st.sampled_from(["low", "normal", "high", "vital"]),
    st.dictionaries(
        st.sampled_from(sorted(evidence_that_counts())), st.just(("yes", "no", "none", "TLS 1.0"))
    ),
    st.sampled_from(sorted(evidence_that_counts())),
)
def test_a_score_is_the_sum_of_its_parts_and_grows_with_what_is_exposed(
    candidates: tuple[Release, ...],
    certainty: Certainty,
    ward: str,
    told: dict[str, tuple[str, ...]],
    key: str,
) -> None:
    verdict = judge(candidates, TODAY, Policy())
    risk = risk_of(verdict, certainty, told, ward, TODAY)
    printed = risk.render("en")
    assert sum(int(part) for part in re.findall(r" ([+-]\d+)(?:,|$)", printed)) == risk.score
    assert len(re.findall(r" [+-]\d+(?:,|$)", risk.render("fr"))) == len(risk.parts)
    more = risk_of(verdict, certainty, {**told, key: ("yes", "no", "none", "TLS 1.0")}, ward, TODAY)
    assert more.score >= risk.score
    later = risk_of(verdict, certainty, told, ward, date(2028, 1, 1))
    assert later.score >= risk.score


@pytest.mark.parametrize(
    ("candidates", "evidence", "action"),
    [
        ((NEW,), {"smb.smb1": ("yes",)}, "turn SMB1 off"),
        ((NEW,), {}, ""),
        ((LTSC,), {}, "plan its replacement before support ends"),
        ((), {}, "find out what it is"),
    ],
)
def test_every_verdict_has_its_action(
    candidates: tuple[Release, ...], evidence: dict[str, tuple[str, ...]], action: str
) -> None:
    (row,) = _rows(_written("csv", asset(*candidates, evidence=evidence), lang="en", dialect="rfc4180"))
    assert row["action"] == action


def test_files_are_private_and_whole(tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    target.write_text("before")
    target.chmod(0o644)
    assert write_file(_format("csv"), [asset(XP)], target, Options(TODAY)) == 1
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert target.read_bytes().startswith(b"\xef\xbb\xbfght;")
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize("error", [InventoryError("gone"), KeyboardInterrupt(), OSError(28, "full")])
def test_a_failure_leaves_the_file_before_and_nothing_else(tmp_path: Path, error: BaseException) -> None:
    def assets() -> Iterator[Asset]:
        yield asset(XP)
        raise error

    target = tmp_path / "out.csv"
    target.write_text("before")
    with pytest.raises((InventoryError, KeyboardInterrupt)):
        write_file(_format("csv"), assets(), target, Options(TODAY))
    assert target.read_text() == "before"
    assert list(tmp_path.iterdir()) == [target]


def test_a_full_device_is_told(tmp_path: Path) -> None:
    with pytest.raises(InventoryError, match="cannot be written"):
        write_file(_format("csv"), [asset(XP)], tmp_path / "no" / "out.csv", Options(TODAY))


@pytest.mark.parametrize("target", ["/dev/full", "/dev/null", "."])
def test_what_is_no_file_is_not_replaced(target: str) -> None:
    before = Path(target).stat().st_mode
    with pytest.raises(ConfigError, match="this is no file"):
        write_file(_format("csv"), [asset(XP)], Path(target), Options(TODAY))
    assert Path(target).stat().st_mode == before


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    real, link = tmp_path / "real.csv", tmp_path / "link.csv"
    link.symlink_to(real)
    write_file(_format("csv"), [asset(XP)], link, Options(TODAY))
    assert link.is_symlink()
    assert real.stat().st_size > 0


def test_every_status_can_be_exported() -> None:
    kinds = {each.verdict.status for each in (asset(XP), asset(NEW), asset(LTSC), asset(), asset(TEN, LTSC))}
    assert kinds == set(Status)
