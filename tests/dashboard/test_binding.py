from __future__ import annotations

import pytest

from scanner.dashboard.access.binding import Binding
from scanner.errors import ConfigError

OUTSIDE = ["0.0.0.0", "::", "10.20.0.5", "192.0.2.1", "2001:db8::1", "fe80::1"]  # noqa: S104 - refused
INSIDE = ["127.0.0.1", "127.9.9.9", "::1", "localhost"]


@pytest.mark.parametrize("host", INSIDE)
@pytest.mark.parametrize("tokens", [False, True])
def test_on_this_machine_everything_goes(host: str, *, tokens: bool) -> None:
    binding = Binding(host, tls=False, proxy=False, tokens=tokens)
    binding.check()
    assert not binding.beyond
    assert host in binding.hosts


@pytest.mark.parametrize("host", OUTSIDE)
@pytest.mark.parametrize(
    ("tls", "proxy", "tokens", "refused"),
    [
        (False, False, False, "TLS"),
        (False, False, True, "TLS"),
        (True, False, False, "tokens"),
        (True, False, True, ""),
        (False, True, False, ""),
        (True, True, False, ""),
        (False, True, True, ""),
    ],
)
def test_beyond_it_only_behind_tls_and_for_known_people(
    host: str, refused: str, *, tls: bool, proxy: bool, tokens: bool
) -> None:
    binding = Binding(host, tls, proxy, tokens, ("vetuste.example.org",))
    assert binding.beyond
    if refused:
        with pytest.raises(ConfigError, match=refused):
            binding.check()
    else:
        binding.check()


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])  # noqa: S104 - refused
def test_on_every_address_the_name_must_be_said(host: str) -> None:
    with pytest.raises(ConfigError, match="--public-name"):
        Binding(host, tls=True, proxy=False, tokens=True).check()
    named = Binding(host, tls=True, proxy=False, tokens=True, names=("Vetuste.Example.Org",))
    assert named.hosts == {"127.0.0.1", "::1", "localhost", "vetuste.example.org"}


@pytest.mark.parametrize("host", ["", "example.org", "127.0.0.1:80", "127.1", "0", "*", "127.0.0.1\n"])
def test_a_host_is_an_address(host: str) -> None:
    with pytest.raises(ConfigError, match="--host"):
        Binding(host, tls=True, proxy=True, tokens=True).check()
