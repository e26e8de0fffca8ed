"""Registers' files as people export them: every encoding, separator and language."""

from __future__ import annotations

import gzip
import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.errors import ConfigError
from scanner.imports import CutShortError, register_formats
from scanner.imports.moments import moment_in
from scanner.imports.sheets import plain
from tests.imports.register_samples import AD, FILES, GLPI, NOW, PEOPLE, read, records

FORMS = sorted(FILES)
ID = "6f1c2a9e-27ff-4c8b-9a3e-0d7a5b1c2d3e"


def test_registers_are_found_by_being_there() -> None:
    assert [form.name for form in register_formats()] == FORMS


def test_what_a_directory_says() -> None:
    first, second, old = records("ad", FILES["ad"])
    assert (first.register, first.own_id, first.name, first.fqdn, first.domain) == (
        "ad", ID, "PC-CARDIO-1", "pc-cardio-1.chu.example", "chu.example",
    )  # fmt: skip
    assert (first.system, first.version) == ("Windows 10 Entreprise LTSC", "10.0 (17763)")
    assert first.contact == datetime(2026, 11, 23, 8, 12, 33, tzinfo=UTC)
    assert (first.addresses, first.enabled, first.managed) == (("10.20.0.1",), True, None)
    assert second.addresses == ()
    assert (old.fqdn, old.domain, old.enabled) == ("", "chu.example", False)
    assert old.system == "Windows XP Professional Service Pack 3"


def test_what_glpi_says() -> None:
    first, typed = records("glpi", FILES["glpi"])
    assert (first.own_id, first.name, first.serial, first.macs) == (
        "1204", "PC-CARDIO-1", "ABC1234", ("00:1b:21:aa:bb:01",),
    )  # fmt: skip
    assert (first.system, first.version) == ("Microsoft Windows 10 Entreprise LTSC", "1809")
    assert (first.managed, first.contact) == (True, datetime(2026, 11, 24, 9, tzinfo=UTC))
    assert first.addresses == ("10.20.0.1", "fe80::1")
    assert first.facts["location"] == "Bâtiment B"
    assert (typed.managed, typed.contact) == (False, None)


@pytest.mark.parametrize("form", FORMS)
def test_no_column_that_names_people_is_kept(form: str) -> None:
    assert all(name in FILES[form].decode() for name in PEOPLE)
    told = repr(records(form, FILES[form])).casefold()
    assert not [name for name in (*PEOPLE, "calc") if name.casefold() in told]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_whatever_it_is_saved_in(form: str, encoding: str, ends: str) -> None:
    text = FILES[form].decode().replace("\r\n", "\n")
    assert records(form, text.replace("\n", ends).encode(encoding)) == records(form, FILES[form])


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_whatever_the_separator(delimiter: str) -> None:
    lines = ["Name,DNSHostName,OperatingSystem,LastLogonDate,ObjectGUID"]
    lines += [f"PC-1,pc-1.chu.example,Windows 7 Professionnel,23/11/2026 08:12:33,{ID}", ""]
    (found,) = records("ad", "\r\n".join(lines).replace(",", delimiter).encode())
    assert (found.fqdn, found.system) == ("pc-1.chu.example", "Windows 7 Professionnel")


def test_headings_in_english() -> None:
    text = (
        '"Name";"Entity";"Serial number";"Operating System - Name";"Operating System - Version";'
        '"Networking - IP";"ID";"Last inventory date";"User"\n'
        '"PC-1";"Root";"X1";"Microsoft Windows 11 Pro";"24H2";"10.1.2.3";"5";"11-24-2026 09:00";'
        '"nomdefamille"\n'
    )
    (found,) = records("glpi", text.encode())
    assert (found.own_id, found.version, found.addresses) == ("5", "24H2", ("10.1.2.3",))
    assert found.contact == datetime(2026, 11, 24, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("23/11/2026 08:12:33", datetime(2026, 11, 23, 8, 12, 33, tzinfo=UTC)),
        ("11/23/2026 8:12:33 AM", datetime(2026, 11, 23, 8, 12, 33, tzinfo=UTC)),
        ("23.11.2026 08:12", datetime(2026, 11, 23, 8, 12, tzinfo=UTC)),
        ("2026-11-23 08:12", datetime(2026, 11, 23, 8, 12, tzinfo=UTC)),
        ("2026-11-23T08:12:33.0000000Z", datetime(2026, 11, 23, 8, 12, 33, tzinfo=UTC)),
        ("23/11/2026", datetime(2026, 11, 23, tzinfo=UTC)),
        ("20261123081233.0Z", datetime(2026, 11, 23, 8, 12, 33, tzinfo=UTC)),
        ("134398951530000000", datetime(2026, 11, 23, 8, 12, 33, tzinfo=UTC)),
        ("0", None),
        ("9223372036854775807", None),
        ("", None),
        ("31/02/2026 08:00:00", None),
        ("23/11/2030 08:00:00", None),
    ],
)
def test_moments(text: str, told: datetime | None) -> None:
    assert moment_in(text, NOW) == told


@given(st.text(max_size=40))
def test_no_text_is_a_moment_to_come(text: str) -> None:
    found = moment_in(text, NOW)
    assert found is None or found <= NOW


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"x",
        FILES["glpi"],
        b"DistinguishedName,Enabled,GivenName,Name,ObjectClass,ObjectGUID,SamAccountName,SID,Surname\n",
        b"a,b\n1,2\n",
        b"\x00" * 1000,
    ],
)
def test_another_register_is_refused_whole(content: bytes) -> None:
    with pytest.raises(ConfigError, match="no export of computers"):
        read("ad", content)


@pytest.mark.parametrize("content", [b"", FILES["ad"], "Nom;Prénom;Identifiant;ID\n".encode()])
def test_no_list_of_computers_is_refused_whole(content: bytes) -> None:
    with pytest.raises(ConfigError, match="no list of computers"):
        read("glpi", content)


def test_users_among_computers_are_left_out_by_line() -> None:
    lines = FILES["ad"].decode().replace('"computer"', '"user"', 1)
    found = read("ad", lines.encode())
    assert [str(each) for each in found if isinstance(each, ConfigError)] == [
        "file:3: ObjectClass: is no computer"
    ]
    assert len(found) == 3


def test_an_id_that_stands_twice_is_named() -> None:
    found = read("ad", AD.replace("7f1c2a9e", "6f1c2a9e").encode())
    assert [str(each) for each in found if isinstance(each, ConfigError)] == [
        "file:5: has the id of line 3, which stands"
    ]


def test_a_line_without_an_end_is_passed_over() -> None:
    head, _, rest = GLPI.partition("\n")
    found = read("glpi", f"{head}\n{'x' * (3 << 20)}\n{rest}".encode())
    assert [str(each) for each in found if isinstance(each, ConfigError)] == ["file:2: is longer than 1 MiB"]
    assert len(found) == 3
    endless = read("glpi", f"{head}\n{'x' * (3 << 20)}".encode())
    assert "longer" in str(endless[0])


def test_quotes_that_are_never_closed_cost_their_line_alone() -> None:
    head, *rows = AD.strip("\n").split("\n")
    broken = [head, rows[0], '"PC-0","pc-0.chu.example,', *rows[3:], *(['""'] * 0)]
    many = [*broken, *(rows[3].replace("7f1c2a9e", f"{number:08x}") for number in range(300))]
    found = read("ad", ("\r\n".join(many) + "\r\n").encode())
    errors = [str(each) for each in found if isinstance(each, ConfigError)]
    assert errors == ["file:3: has a text without its end"]
    assert len(found) - len(errors) == 302


@pytest.mark.parametrize("form", FORMS)
def test_a_file_that_ends_early_gives_what_stood_whole_before_and_says_so(form: str) -> None:
    content = FILES[form]
    whole = records(form, content)
    for end in range(len(content.split(b"\n")[0]) + 400, len(content), 7):
        try:
            found = read(form, content[:end])
        except ConfigError:
            continue
        errors = [each for each in found if isinstance(each, ConfigError)]
        kept = [each for each in found if not isinstance(each, ConfigError)]
        assert kept == whole[: len(kept)]
        assert len(errors) <= 1
        if errors:
            assert isinstance(errors[0], CutShortError)


@pytest.mark.parametrize("form", FORMS)
def test_a_packed_file_is_unpacked(form: str) -> None:
    packed = gzip.compress(FILES[form])
    assert read(form, packed) == read(form, FILES[form])
    assert isinstance(read(form, packed[:-9])[-1], CutShortError)


@pytest.mark.parametrize("form", FORMS)
@given(seed=st.integers(min_value=0, max_value=1 << 32))
def test_damage_is_an_error_of_ours_at_worst(form: str, seed: int) -> None:
    chance = random.Random(seed)
    content = bytearray(FILES[form])
    for _ in range(chance.randint(1, 5)):
        place = chance.randrange(len(content))
        match chance.randrange(4):
            case 0:
                content[place] = chance.randrange(256)
            case 1:
                del content[place : place + chance.randrange(1, 60)]
            case 2:
                content[place:place] = chance.choice(
                    (b'"', b"\x00\x00", b"\n", b";", b",", b"\xff\xfe", b'""')
                )
            case _:
                content[place:place] = chance.randbytes(chance.randrange(20))
    try:
        found = read(form, bytes(content))
    except ConfigError as error:
        found = [error]
    for each in found:
        if isinstance(each, ConfigError):
            assert str(each).isprintable()
            continue
        values = [each.own_id, each.name, each.fqdn, each.domain, each.system, each.version, each.serial]
        assert each.own_id
        assert all(value.isprintable() for value in (*values, *each.facts.values(), *each.macs))
        assert each.contact is None or each.contact <= NOW + timedelta()


@pytest.mark.parametrize(
    ("heading", "told"),
    [
        ("Système d'exploitation - Nom", "systeme d exploitation nom"),
        ("  LastLogonDate ", "lastlogondate"),
        ("Criticité", "criticite"),
        ("sous-réseau(x)", "sous reseau x"),
    ],
)
def test_headings_are_compared_without_accents(heading: str, told: str) -> None:
    assert plain(heading) == told
