from __future__ import annotations

from ipaddress import IPv4Address, ip_network
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.addresses import AddressSet, number_of
from scanner.errors import ConfigError
from scanner.targets import Scope, parse_targets, span_of

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("10.0.0.5", "10.0.0.5", "10.0.0.5"),
        (" 10.0.0.0/24 ", "10.0.0.0", "10.0.0.255"),
        ("10.0.0.1-50", "10.0.0.1", "10.0.0.50"),
        ("10.0.0.250 - 10.0.1.3", "10.0.0.250", "10.0.1.3"),
        ("fd00::1", "fd00::1", "fd00::1"),
        ("fd00::/120", "fd00::", "fd00::ff"),
        ("fd00::1-fd00::9", "fd00::1", "fd00::9"),
    ],
)
def test_targets_as_people_write_them(text: str, first: str, last: str) -> None:
    assert span_of(text) == (number_of(first), number_of(last))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "cardiologie",
        "10.0.0",
        "10.0.0.256",
        "10.0.0.1/24",
        "10.0.0.0/33",
        "10.0.0.1-300",
        "10.0.0.9-1",
        "10.0.0.9-fd00::1",
        "10.0.0.1-",
        "-10.0.0.1",
        "fd00::/64",
        "http://10.0.0.1",
        "10.0.0.1:445",
        "10.0.0.1\x1b[31m",
    ],
)
def test_what_is_no_target_is_named(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_targets([text])
    message = str(caught.value)
    assert message.isprintable()
    assert caught.value.exit_code == 2


@given(st.text(max_size=30))
def test_any_text_is_a_span_or_a_configuration_error(text: str) -> None:
    try:
        first, last = span_of(text)
    except ConfigError as error:
        assert str(error).isprintable()  # noqa: PT017 - either way is right
    else:
        assert 0 <= first <= last


def test_a_file_of_targets_names_its_wrong_line(tmp_path: Path) -> None:
    file = tmp_path / "targets.txt"
    file.write_text("# wards\n10.0.0.0/30\n\n10.0.0.9  # the archive\n10.0.0.300\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"targets\.txt:5: '10\.0\.0\.300' is no target"):
        parse_targets([f"@{file}"])
    file.write_text("10.0.0.0/30\n10.0.0.9\n", encoding="utf-8")
    assert len(parse_targets([f"@{file}"])) == 5


def test_a_missing_file_of_targets_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        parse_targets([f"@{tmp_path / 'none'}"])


@given(st.ip_addresses(v=4))
def test_without_a_site_file_only_private_and_loopback_addresses(address: IPv4Address) -> None:
    scope = Scope.of(None, AddressSet())
    private = any(
        address in network
        for network in map(
            ip_network,
            ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16"),
        )
    )
    assert scope.permits(number_of(str(address))) == private


@pytest.mark.parametrize("address", ["0.0.0.0", "224.0.0.1", "255.255.255.255", "ff02::1"])  # noqa: S104 - a target
def test_nobodys_addresses_are_never_permitted(address: str) -> None:
    assert not Scope.of(None, AddressSet(), allow_public=True).permits(number_of(address))


def test_public_addresses_need_to_be_allowed_even_by_a_site_file() -> None:
    subnets = AddressSet.of(["193.48.0.0/24", "10.0.0.0/24"])
    assert not Scope.of(subnets, AddressSet()).permits(number_of("193.48.0.9"))
    assert Scope.of(subnets, AddressSet(), allow_public=True).permits(number_of("193.48.0.9"))
    assert Scope.of(subnets, AddressSet()).permits(number_of("10.0.0.9"))


def test_exclusions_win_over_everything() -> None:
    scope = Scope.of(AddressSet.of(["10.0.0.0/24"]), AddressSet.of(["10.0.0.16/28"]), allow_public=True)
    assert not scope.permits(number_of("10.0.0.17"))
    chosen = scope.select(parse_targets(["10.0.0.0/24"]), site=True)
    assert len(chosen) == 240
    assert number_of("10.0.0.17") not in chosen


def test_a_target_outside_the_wards_is_refused_whole() -> None:
    scope = Scope.of(AddressSet.of(["10.0.0.0/24"]), AddressSet())
    with pytest.raises(ConfigError, match=r"10\.0\.1\.0 to 10\.0\.1\.255 lie outside the wards"):
        scope.select(parse_targets(["10.0.0.0/23"]), site=True)


def test_a_public_target_says_which_option_is_missing() -> None:
    with pytest.raises(ConfigError, match="--allow-public"):
        Scope.of(None, AddressSet()).select(parse_targets(["8.8.8.8"]), site=False)


@given(
    st.lists(st.integers(0, 255), max_size=8),
    st.lists(st.integers(0, 255), max_size=8),
    st.integers(0, 255),
)
def test_what_is_selected_is_permitted_and_never_forbidden(
    allowed: list[int], cut: list[int], host: int
) -> None:
    ground = AddressSet((number_of("10.0.0.0") + low, number_of("10.0.0.0") + low) for low in allowed)
    forbidden = AddressSet((number_of("10.0.0.0") + low, number_of("10.0.0.0") + low) for low in cut)
    scope = Scope.of(ground, forbidden)
    number = number_of("10.0.0.0") + host
    assert scope.permits(number) == (host in allowed and host not in cut)
