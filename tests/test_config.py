from __future__ import annotations

import hashlib
import ipaddress
import re
import subprocess
import sys
import tomllib
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from scanner.config import Canary, SiteFile, Window, inventory_url, load_site, read_site
from scanner.config.complaints import TABLES
from scanner.errors import ConfigError
from scanner.toml import line_of

ROOT = Path(__file__).parents[1]
DOCUMENT = (ROOT / "docs" / "site-file.md").read_text(encoding="utf-8")
EXAMPLE = re.findall(r"```toml\n(.*?)```", DOCUMENT, re.DOTALL)[0]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("site")


def written(folder: Path, text: str | bytes) -> Path:
    file = folder / "site.toml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
    return file


def complaint_about(folder: Path, text: str | bytes) -> str:
    file = written(folder, text)
    with pytest.raises(ConfigError) as caught:
        load_site(file)
    assert caught.value.exit_code == 2
    return str(caught.value).removeprefix(str(file))


def test_the_example_of_the_document_says_what_the_document_says(folder: Path) -> None:
    file = load_site(written(folder, EXAMPLE))
    assert file.site.name == "CHU de Démonstration"
    assert file.policy.exclude == ("10.20.7.0/28", "10.20.1.17/32")
    assert file.policy.window == Window.parse("22:00-05:30 Europe/Paris")
    assert [ward.name for ward in file.wards] == ["Cardiologie", "Réanimation", "Salle de tests"]
    assert file.wards[0].subnets == ("10.20.0.0/24", "10.20.1.0/24")
    assert [ward.passive_only for ward in file.wards] == [False, True, False]
    assert file.wards[2].ports == {"smb": (1445, 1139), "dicom": (11112,)}
    assert file.wards[2].probes == ("smb", "netbios", "rdp", "dicom")
    assert (file.dicom.ae_title, file.dicom.calling_ae_title) == ("ARCHIVE", "VETUSTE")
    assert file.ports == {"smb": (445, 139)}
    assert file.inventory.url == "sqlite:////var/lib/vetuste/inventory.db"
    assert file.extensions("Cardiologie") == {"windows-10-22h2-pro": date(2026, 10, 13)}
    assert file.extensions("Réanimation") == {}


def test_the_document_has_every_key_of_every_table_and_no_other() -> None:
    sections = dict(
        re.findall(r"^### `\[+(\w+)\]+`[^\n]*\n(.*?)(?=^### |\Z)", DOCUMENT, re.DOTALL | re.MULTILINE)
    )
    for name, table in TABLES.items():
        keys = {field.alias or key for key, field in table.model_fields.items()}
        if name:
            assert set(re.findall(r"^\| `(\w+)` \|", sections[name], re.MULTILINE)) == keys
        else:
            assert keys == set(sections)


def test_the_document_gives_the_defaults_that_hold(folder: Path) -> None:
    rows = re.findall(r"^\| `(\w+)` \|.*\| `([^`]+)` \|$", DOCUMENT, re.MULTILINE)
    file = load_site(written(folder, '[site]\nname = "A"\n[[ward]]\nname = "B"\nsubnets = ["10.0.0.0/24"]'))
    tables = [file.site, file.policy, file.wards[0]]
    checked = 0
    for key, literal in rows:
        stated = tomllib.loads(f"value = {literal}")["value"]
        for table in tables:
            if key in type(table).model_fields and getattr(table, key) is not None:
                assert getattr(table, key) == stated, key
                checked += 1
    assert checked >= 7


MISTAKES = tomllib.loads((Path(__file__).parent / "site_mistakes.toml").read_text(encoding="utf-8"))[
    "mistake"
]


def test_complaints_know_every_table() -> None:
    tables = {field.alias or name for name, field in SiteFile.model_fields.items()} - {"ports"}
    assert set(TABLES) == {"", *tables}


@pytest.mark.parametrize("mistake", MISTAKES, ids=[mistake["said"] for mistake in MISTAKES])
def test_one_mistake_gives_one_line_that_names_line_and_key(folder: Path, mistake: dict[str, str]) -> None:
    assert mistake["right"] in EXAMPLE
    text = EXAMPLE.replace(mistake["right"], mistake["wrong"], 1)
    assert complaint_about(folder, text) == mistake["said"]


def test_the_first_of_several_mistakes_is_the_one_that_is_named(folder: Path) -> None:
    text = EXAMPLE.replace("smb = [445, 139]", "smb = []").replace('floor = "2"', "floor = 2")
    assert complaint_about(folder, text).startswith(':16: ward "Cardiologie".floor')


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", ": site: is missing"),
        (b"[site]\nname = 'caf\xe9'\n", ":2: is not in UTF-8: save it as UTF-8"),
        (b"a = " + b"[" * 100_000, ": is no TOML: brackets are nested too deeply"),
        (b"a = 1" + b"0" * 5000, ": is no TOML: Exceeds the limit"),
        (b"#" * (1 << 18) + b"#", ": is larger than 256 KiB: this is no site file"),
        (b"x = '''\n\n\n", ":1: is no TOML"),
    ],
    ids=["empty", "latin-1", "deep", "digits", "large", "open"],
)
def test_what_is_no_site_file_at_all_is_said_in_one_line(folder: Path, content: bytes, said: str) -> None:
    complaint = complaint_about(folder, content)
    assert complaint.startswith(said)
    assert "\n" not in complaint


def test_a_file_that_cannot_be_read_is_named(folder: Path) -> None:
    for path, said in (
        (folder / "none.toml", "there is no such site file"),
        (folder, "cannot be read: Is a directory"),
        (Path("/dev/zero"), "is larger than 256 KiB: this is no site file"),
        (Path("a\0b"), "cannot be read: embedded null byte"),
    ):
        with pytest.raises(ConfigError, match=re.escape(said)):
            load_site(path)
        with pytest.raises(ConfigError, match=re.escape(said)):
            inventory_url(path)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ('"VETUSTE_SNMP"', '"s3cr3t"'),
        ('"VETUSTE_SNMP"', '["s3cr3t"]'),
        ("sqlite:////var/lib/vetuste/inventory.db", "postgresql://vetuste:s3cr3t@db/vetuste"),
        (
            "sqlite:////var/lib/vetuste/inventory.db",
            "postgresql://db/vetuste?sslmode=require&password=s3cr3t",
        ),
        ("community_env", "community"),
    ],
)
def test_a_secret_is_refused_and_not_repeated(folder: Path, right: str, wrong: str) -> None:
    assert "s3cr3t" not in complaint_about(folder, EXAMPLE.replace(right, wrong))


def test_a_signed_scope_needs_somebody_who_signs(folder: Path) -> None:
    signed = EXAMPLE.replace("[site]", "[site]\nsigned = true")
    assert load_site(written(folder, signed)).signing.roles == ("biomedical", "rssi")
    said = complaint_about(folder, signed.replace("[signing]", "").replace("roles =", "#"))
    assert said == ':2: site.signed: needs those who sign: [signing] roles = ["biomedical", "rssi"]'


def test_the_bytes_that_were_read_are_those_that_were_understood(folder: Path) -> None:
    path = written(folder, EXAMPLE)
    source = read_site(path)
    path.write_bytes(b"changed")
    assert (source.path, source.content, source.file.site.finess) == (path, EXAMPLE.encode(), "000000000")
    assert source.digest == hashlib.sha256(EXAMPLE.encode()).hexdigest()


def test_canaries_are_read_as_they_are_written(folder: Path) -> None:
    wards = load_site(written(folder, EXAMPLE)).wards
    assert wards[0].canaries == (Canary("10.20.0.1"), Canary("10.20.1.1", 443))
    assert wards[1].canaries == ()
    elsewhere = EXAMPLE.replace('"10.20.0.1"', '"fd00:1::1", "[fd00:99::1]:22", "192.168.1.1"')
    canaries = load_site(written(folder, elsewhere)).wards[0].canaries
    assert [str(canary) for canary in canaries[:3]] == ["fd00:1::1", "[fd00:99::1]:22", "192.168.1.1"]


def test_routers_are_read_in_their_usual_form(folder: Path) -> None:
    assert load_site(written(folder, EXAMPLE)).snmp.routers == ("10.20.0.254", "10.20.1.254")
    elsewhere = EXAMPLE.replace('"10.20.0.254"', '" fd00:99:0::1", "192.168.1.1"')
    routers = load_site(written(folder, elsewhere)).snmp.routers
    assert routers == ("fd00:99::1", "192.168.1.1", "10.20.1.254")


def test_a_canary_in_a_ward_inside_a_passive_one_is_not_touched_either(folder: Path) -> None:
    nested = '[[ward]]\nname = "Box"\nsubnets = ["10.20.9.8/29"]\ncanaries = ["10.20.9.9"]\n'
    assert "passive_only" in complaint_about(folder, EXAMPLE + nested)


@given(st.ip_addresses(), st.none() | st.integers(1, 65535))
def test_a_canary_is_said_as_it_is_read(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address, port: int | None
) -> None:
    canary = Canary(str(address), port)
    assert Canary.parse(str(canary)) == canary
    assert Canary.parse(f" {canary} ") == canary


NO_CANARIES = [
    "",
    "x",
    "10.0.0.1:",
    "10.0.0.1:0",
    "10.0.0.1:65536",
    "10.0.0.1:0443",
    "[10.0.0.1]:1",
    "10.0.0.0/24",
]
NO_CANARIES += [
    "[fd00::1]",
    "fe80::1%eth0",
    "[fe80::1%eth0]:1",
    "10.0.0.1:٤",
    "10.0.0.1:http",
    "host:443",
    "[::1]:",
]


@pytest.mark.parametrize("text", NO_CANARIES)
def test_what_is_no_canary_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - any: the site file's reader says it in its own words
        Canary.parse(text)


def test_a_byte_order_mark_and_windows_line_ends_are_no_mistake(folder: Path) -> None:
    text = "\ufeff" + EXAMPLE.replace("\n", "\r\n")
    assert load_site(written(folder, text)) == load_site(written(folder, EXAMPLE))


def test_nothing_of_it_can_be_changed_afterwards(folder: Path) -> None:
    file = load_site(written(folder, EXAMPLE))
    with pytest.raises(ValueError, match="frozen"):
        file.wards[1].passive_only = False


def test_the_longest_extension_of_a_release_counts_and_one_without_wards_is_for_all(folder: Path) -> None:
    more = "".join(
        f'[[esu]]\nrelease = "{release}"\nuntil = {until}\n'
        for release, until in (("windows-10-22h2-pro", "2025-10-14"), ("windows-7-sp1", "2023-01-10"))
    )
    file = load_site(written(folder, EXAMPLE + more))
    assert file.extensions("Cardiologie") == {
        "windows-10-22h2-pro": date(2026, 10, 13),
        "windows-7-sp1": date(2023, 1, 10),
    }
    assert file.extensions("Réanimation")["windows-10-22h2-pro"] == date(2025, 10, 14)


def test_the_address_of_the_inventory_is_read_without_pydantic(folder: Path) -> None:
    file = written(folder, EXAMPLE)
    program = (
        "import sys; from scanner.config import inventory_url;"
        "print(inventory_url(sys.argv[1])); assert 'pydantic' not in sys.modules"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, file], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "sqlite:////var/lib/vetuste/inventory.db\n"


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("", None),
        ("[inventory]", None),
        ("[inventory]\nurl = 'sqlite://'", "sqlite://"),
        ("[site]\nwrong = 1", None),
    ],
)
def test_without_an_address_there_is_none(folder: Path, text: str, url: str | None) -> None:
    assert inventory_url(written(folder, text)) == url


@pytest.mark.parametrize("text", ["inventory = 3", "[inventory]\nurl = 3", "[[inventory]]"])
def test_an_address_that_is_no_text_is_an_error(folder: Path, text: str) -> None:
    with pytest.raises(ConfigError, match=r"inventory\.url: must be text"):
        inventory_url(written(folder, text))


# Properties


def ends_well(folder: Path, text: str) -> None:
    """A text ends in a site file or in one line about it; where it is TOML, the line has a number."""
    file = written(folder, text.encode("utf-8", "surrogatepass"))
    error = None
    try:
        assert isinstance(load_site(file), SiteFile)
    except ConfigError as caught:
        error = caught
    if error:
        said = str(error)
        assert said.startswith(f"{file}:")
        assert said.isprintable()
        assert error.line is None or 1 <= error.line <= text.count("\n") + 1
        if "is no TOML" not in said and "UTF-8" not in said:
            assert error.key
            assert error.line or error.key in ("site", "ward")  # what is missing altogether stands on no line


WORDS = """
[site] [[ward]] [ward] name subnets = "10.0.0.0/24" "x" [ ] { } , . ''' \""" \\ # 1 -1 nan 1e400 true
2026-10-13 25:00:00 [ports] smb é [esu] until
[policy] window "22:00-05:30_Europe/Paris" "22:00-05:30_../etc/passwd"
"""
FRAGMENTS = st.sampled_from([*WORDS.split(), "\n", "\0", "\x7f"]).map(lambda word: word.replace("30_", "30 "))


@given(st.lists(FRAGMENTS, max_size=40).map(" ".join) | st.text(max_size=80))
@example("site = {name = 'a'}\nward = [{name = 'b', subnets = ['::1']}]")
def test_any_text_ends_in_a_site_file_or_an_error(folder: Path, text: str) -> None:
    ends_well(folder, text)


@given(st.data())
def test_any_damage_to_the_example_ends_in_a_site_file_or_an_error(folder: Path, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(EXAMPLE)))
    end = data.draw(st.integers(start, min(len(EXAMPLE), start + 30)))
    ends_well(folder, EXAMPLE[:start] + data.draw(FRAGMENTS | st.text(max_size=5)) + EXAMPLE[end:])


VALUES = st.recursive(
    st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.dates()
    | st.datetimes()
    | st.times(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text("abc", min_size=1, max_size=2), inner, max_size=3)
    ),
    max_leaves=6,
)


def toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return (
            '"' + "".join(f"\\U{ord(c):08x}" if not 0xD800 <= ord(c) <= 0xDFFF else "?" for c in value) + '"'
        )
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {toml(entry)}" for key, entry in value.items()) + "}"
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


@given(st.sampled_from(sorted(set(re.findall(r"^(?:\w+) = [^\n\[]+$", EXAMPLE, re.MULTILINE)))), VALUES)
def test_any_value_in_any_place_ends_in_a_site_file_or_an_error(
    folder: Path, line: str, value: object
) -> None:
    text = EXAMPLE.replace(line, f"{line.partition(' ')[0]} = {toml(value)}", 1)
    tomllib.loads(text)
    ends_well(folder, text)


NETWORKS = st.builds(
    lambda number, prefix: ipaddress.ip_network((number >> (32 - prefix) << (32 - prefix), prefix)),
    st.integers(0x0A000000, 0x0A0000FF),
    st.integers(22, 32),
)


@given(st.lists(NETWORKS, min_size=1, max_size=5))
def test_subnets_of_a_ward_are_accepted_when_no_address_is_in_two(
    folder: Path, networks: list[ipaddress.IPv4Network]
) -> None:
    addresses = [int(network[0]) + offset for network in networks for offset in range(network.num_addresses)]
    listed = toml([str(network) for network in networks])
    text = f'[site]\nname = "A"\n[[ward]]\nname = "B"\nsubnets = {listed}\n'
    if len(set(addresses)) == len(addresses):
        assert load_site(written(folder, text)).wards[0].subnets == tuple(map(str, networks))
    else:
        assert "overlaps" in complaint_about(folder, text)


@given(st.integers(0, 2**32 - 1), st.integers(0, 32))
def test_bits_behind_the_prefix_are_refused_with_the_network_that_was_meant(
    folder: Path, number: int, prefix: int
) -> None:
    text = f"{ipaddress.IPv4Address(number)}/{prefix}"
    meant = ipaddress.IPv4Network(text, strict=False)
    assume(number != int(meant[0]))
    said = complaint_about(folder, EXAMPLE.replace("10.20.7.0/28", text))
    assert said.endswith(f"{text!r} has bits set behind its prefix: {meant} is the network it lies in")


@given(st.data())
def test_line_of_finds_every_key_of_a_text_whose_lines_are_known(data: st.DataObject) -> None:
    lines: list[str] = []
    known: dict[tuple[str | int, ...], int] = {}
    for table in range(data.draw(st.integers(1, 4))):
        lines += data.draw(st.lists(st.sampled_from(["", "# [[t]]", "  "]), max_size=2))
        lines.append("[[t]]")
        known["t", table] = len(lines)
        for key in data.draw(st.lists(st.sampled_from("abcd"), unique=True, max_size=4)):
            lines += data.draw(st.lists(st.sampled_from(["", "# a = 1"]), max_size=2))
            shape = data.draw(st.sampled_from(["plain", "list", "text"]))
            known["t", table, key] = len(lines) + 1
            if shape == "plain":
                lines.append(f"{key} = 1 # ]")
            elif shape == "text":
                lines += [f'{key} = """', "[[t]]", "a = 1", '"""']
            else:
                lines.append(f"{key} = [")
                for index in range(data.draw(st.integers(1, 3))):
                    lines.append('  "x]", # ,')
                    known["t", table, key, index] = len(lines)
                lines.append("]")
    text = "\n".join(lines)
    for path, line in known.items():
        assert line_of(text, path) == line
    assert line_of(text, ("t", 0, "missing")) == known["t", 0]
    assert line_of(text, ("missing",)) is None


MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis wants them naive


@given(st.integers(0, 1439), st.integers(0, 1439), MOMENTS)
def test_a_window_is_open_from_its_start_to_its_end_on_the_clocks_of_its_place(
    start: int, end: int, moment: datetime
) -> None:
    assume(start != end)
    text = f"{start // 60:02}:{start % 60:02}-{end // 60:02}:{end % 60:02} Europe/Paris"
    window = Window.parse(text)
    assert str(window) == text
    there = moment.astimezone(ZoneInfo("Europe/Paris"))
    minutes = {(start + offset) % 1440 for offset in range((end - start) % 1440)}
    assert (moment in window) == (there.hour * 60 + there.minute in minutes)


def test_a_window_holds_in_both_summer_and_winter() -> None:
    window = Window.parse("22:00-05:30 Europe/Paris")
    for offset, month in ((1, 1), (2, 7)):
        opening = datetime(2027, month, 10, 22 - offset, tzinfo=UTC)
        assert opening in window
        assert opening - timedelta(seconds=1) not in window


NO_WINDOWS = ["", "22:00-05:30", "24:00-05:30 UTC", "22:00-22:00 UTC", "22:60-23:00 UTC", "22:00-23:00 x"]
NO_WINDOWS += ["22:00-23:00 Europe", "22:00-23:00 ../../etc/hosts", "١٢:00-13:00 UTC", "22:00-23:00 UTC "]


@pytest.mark.parametrize("text", NO_WINDOWS)
def test_what_is_no_window_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - any: the site file's reader says it in its own words
        Window.parse(text)
