"""What may not be meant: each kind of doubt where it should be, and nowhere else."""

from __future__ import annotations

from ipaddress import ip_network
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.audit.doubts import Doubt, Known, doubts
from scanner.config import load_site

if TYPE_CHECKING:
    from pathlib import Path

    from scanner.config import SiteFile

HEAD = '[site]\nname = "A"\n'
POLICY = '[policy]\nwindow = "22:00-05:30 Europe/Paris"\n'
WARD = '[[ward]]\nname = "Cardiologie"\nsubnets = ["10.0.0.0/24"]\n'
OTHER = '[[ward]]\nname = "Réanimation"\nsubnets = ["10.0.9.0/24"]\n'
SOUND = HEAD + POLICY + WARD + OTHER


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("site")


def site(folder: Path, text: str) -> SiteFile:
    file = folder / "site.toml"
    file.write_text(text, encoding="utf-8")
    return load_site(file)


def found(folder: Path, text: str, known: Known | None = None) -> list[Doubt]:
    return doubts(site(folder, text), known)


def lines(folder: Path, text: str, known: Known | None = None) -> list[tuple[str, str, str]]:
    return [(doubt.kind, doubt.key, doubt.says.render()) for doubt in found(folder, text, known)]


def test_a_sound_file_raises_no_doubt(folder: Path) -> None:
    assert found(folder, SOUND) == []


CARDIO = 'ward "Cardiologie"'
CASES = [
    (
        HEAD + WARD,
        "no-window",
        "policy.window",
        "there is no window: everything may be sent by day as well",
    ),
    (
        SOUND + '[signing]\nroles = ["rssi"]\n',
        "unsigned",
        "signing.roles",
        "roles are named that sign, but signed = true is missing in [site]: nobody has to",
    ),
    (
        SOUND.replace("[policy]", '[policy]\nexclude = ["10.0.0.7", "10.1.0.0/24"]'),
        "exclusion-outside",
        "policy.exclude[2]",
        "10.1.0.0/24 lies outside every ward and protects nothing: is it a slip of the pen?",
    ),
    (
        SOUND.replace("[policy]", '[policy]\nexclude = ["10.0.0.0/23"]'),
        "exclusion-of-ward",
        "policy.exclude[1]",
        (
            "10.0.0.0/23 covers the whole ward Cardiologie: nothing is sent there; "
            "passive_only = true says so better"
        ),
    ),
    (
        SOUND.replace("10.0.9.0/24", "10.0.0.128/25"),
        "overlap",
        'ward "Réanimation".subnets[1]',
        "10.0.0.128/25 lies inside 10.0.0.0/24 of the ward Cardiologie: for its addresses this ward decides",
    ),
    (
        SOUND.replace("10.0.9.0/24", "10.0.0.128/25").replace(
            "10.0.0.0/24", '10.0.0.0/24"]\npassive_only=true#'
        ),
        "overlap",
        'ward "Réanimation".subnets[1]',
        "10.0.0.128/25 lies inside 10.0.0.0/24 of the passive ward Cardiologie: nothing is ever sent there",
    ),
    (
        SOUND.replace("10.0.0.0/24", "198.51.100.0/24"),
        "public",
        f"{CARDIO}.subnets[1]",
        "198.51.100.0/24 has public addresses: they are scanned with --allow-public only",
    ),
    (
        SOUND.replace("10.0.9.0/24", "10.64.0.0/15"),
        "large",
        'ward "Réanimation".subnets[1]',
        "10.64.0.0/15 has 131072 addresses: is it meant to be that large?",
    ),
    (
        SOUND.replace("10.0.9.0/24", "fd00::/64"),
        "vast",
        'ward "Réanimation".subnets[1]',
        "fd00::/64 is too large to be swept: only what is asked for by address is scanned",
    ),
    (
        SOUND.replace("[policy]", '[policy]\nprofile = "office"') + 'owner = "Service BIOMÉDICAL"\n',
        "biomedical",
        'ward "Réanimation".owner',
        (
            'the owner is Service BIOMÉDICAL: say passive_only = true, or profile = "clinical", '
            "which no option loosens"
        ),
    ),
    (
        SOUND + 'criticality = "vital"\n',
        "no-canary",
        'ward "Réanimation".canaries',
        "an outage here is vital, and no canary watches it: name one in canaries",
    ),
]


@pytest.mark.parametrize(
    ("text", "kind", "key", "says"), CASES, ids=[f"{case[1]} {case[2]}" for case in CASES]
)
def test_each_doubt_is_said_where_it_stands_and_alone(
    folder: Path, text: str, kind: str, key: str, says: str
) -> None:
    assert lines(folder, text) == [(kind, key, says)]


@pytest.mark.parametrize(
    "text",
    [
        HEAD + WARD + "passive_only = true\n",  # nothing is sent: no hours are needed
        HEAD + WARD + 'window = "22:00-05:30 UTC"\n',
        SOUND + 'criticality = "vital"\ncanaries = ["10.0.9.1"]\n',
        SOUND + 'criticality = "vital"\npassive_only = true\n',
        SOUND + 'owner = "biomedical"\n',  # clinical is the default
        SOUND.replace("[policy]", '[policy]\nprofile = "office"')
        + 'owner = "biomed"\nprofile = "clinical"\n',
        SOUND.replace("[policy]", '[policy]\nprofile = "office"') + 'owner = "biomed"\npassive_only = true\n',
        SOUND.replace("10.0.9.0/24", "10.64.0.0/16"),
        SOUND.replace("10.0.9.0/24", "fd00::/112"),
        SOUND.replace("10.0.9.0/24", "127.0.0.0/24"),
        SOUND.replace('"A"\n', '"A"\nsigned = true\n') + '[signing]\nroles = ["rssi"]\n',
    ],
)
def test_what_was_thought_of_raises_no_doubt(folder: Path, text: str) -> None:
    assert lines(folder, text) == []


def test_ports_that_do_harm_are_doubted_wherever_they_are_named(folder: Path) -> None:
    text = SOUND + 'canaries = ["10.0.9.1:9100"]\n[ward.ports]\nsmb = [445, 515]\n[ports]\nsmb = [102]\n'
    known = Known(dangerous=frozenset({102, 515, 9100}))
    assert [(kind, key) for kind, key, _ in lines(folder, text, known)] == [
        ("dangerous-port", "ports.smb"),
        ("dangerous-port", 'ward "Réanimation".ports.smb'),
        ("dangerous-port", 'ward "Réanimation".canaries[1]'),
    ]
    assert lines(folder, text) == []


def test_machines_outside_every_ward_and_in_two_sites_are_counted(folder: Path) -> None:
    ours = [(f"10.7.0.{last}", name) for last in range(1, 9) for name in ("A", "")]
    others = [("10.0.0.5", "B"), ("10.0.0.6", "B"), ("172.16.0.1", "B"), ("10.0.9.1", "C"), ("fd00::1", "A")]
    known = Known(machines=[*ours, *others, ("10.0.0.5", "A")])
    assert lines(folder, SOUND, known) == [
        (
            "machines-outside",
            "",
            (
                "machines of the inventory lie outside every ward (9): "
                "10.7.0.1, 10.7.0.2, 10.7.0.3, 10.7.0.4, 10.7.0.5, …"
            ),
        ),
        (
            "two-sites",
            "",
            "addresses of these wards are machines of the site B in the inventory (2): 10.0.0.5, 10.0.0.6",
        ),
        (
            "two-sites",
            "",
            "addresses of these wards are machines of the site C in the inventory (1): 10.0.9.1",
        ),
    ]


NETWORKS = st.builds(
    lambda number, prefix: str(ip_network((number >> (32 - prefix) << (32 - prefix), prefix))),
    st.integers(0x0A000000, 0x0A0000FF),
    st.integers(23, 32),
)


@given(st.lists(st.tuples(NETWORKS, st.booleans()), min_size=2, max_size=6, unique_by=lambda ward: ward[0]))
def test_a_subnet_inside_another_is_doubted_with_the_smallest_or_a_passive_one_around_it(
    folder: Path, wards: list[tuple[str, bool]]
) -> None:
    text = HEAD + POLICY
    for place, (subnet, passive) in enumerate(wards):
        text += f'[[ward]]\nname = "{place}"\nsubnets = ["{subnet}"]\npassive_only = {str(passive).lower()}\n'
    expected = {}
    for place, (subnet, passive) in enumerate(wards):
        around = [
            (outer, is_passive)
            for outer, is_passive in wards
            if outer != subnet and ip_network(subnet).subnet_of(ip_network(outer))  # type: ignore[arg-type]  # both IPv4
        ]
        around.sort(key=lambda ward: (not ward[1], -ip_network(ward[0]).prefixlen))
        if around:
            silenced = around[0][1] and not passive
            expected[f'ward "{place}".subnets[1]'] = around[0][0], silenced
    said = {
        doubt.key: (doubt.says.values["outer"], "nothing is ever sent" in doubt.says.render())
        for doubt in found(folder, text)
        if doubt.kind == "overlap"
    }
    assert said == expected
