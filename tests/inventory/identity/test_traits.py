"""What a host is known by: whatever it says, the traits are few, in one notation, and never a surprise."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.inventory.identity.traits import (
    ADDRESS,
    CARD,
    kind_of,
    passes,
    rules,
    settles,
    traits_of,
    weight_of,
)
from scanner.inventory.words import known_by
from scanner.model import Endpoint, Observation, Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

_AT: Final = datetime(2026, 11, 26, tzinfo=UTC)
_KEYS: Final = sorted({key for kind in rules().kinds.values() for key in kind.keys} - {ADDRESS})
_SAID: Final = st.dictionaries(
    st.sampled_from([*_KEYS, "ntlm.netbios_domain", "netbios.domain", "http.server"]),
    st.lists(st.text(max_size=80), max_size=4).map(tuple),
)


def heard(evidence: Mapping[str, tuple[str, ...]]) -> Observation:
    return Observation(Endpoint("10.20.0.11", 445), "smb", _AT, Outcome.ANSWERED, evidence)


def test_every_kind_of_the_rules_is_sound() -> None:
    its = rules()
    assert its.enough > 0 > its.elsewhere
    for kind in its.kinds.values():
        assert kind.keys
        assert kind.differs <= 0 < kind.weight
    assert its.kinds[ADDRESS].weight + 2 * its.common_weight < its.enough, "an address and a bare name decide"
    assert its.settled_differs <= its.kinds[CARD].differs


@given(_SAID)
def test_whatever_is_said_each_trait_is_of_a_known_kind_and_key(evidence: dict[str, tuple[str, ...]]) -> None:
    found = traits_of("10.20.0.11", [heard(evidence)])
    assert found[ADDRESS, "10.20.0.11"] == ADDRESS
    for (kind, value), key in found.items():
        assert key in rules().kinds[kind].keys
        assert value
        assert kind_of(key, value) == kind, "as it is read again from the inventory"
        if kind == "name":
            assert len(value) <= 2 * 15 + 1
            assert value == value.upper()[: len(value)] or value.upper() != value
        assert isinstance(weight_of(kind, value), int)


@given(_SAID, _SAID)
def test_the_order_of_observations_changes_no_trait(
    one: dict[str, tuple[str, ...]], other: dict[str, tuple[str, ...]]
) -> None:
    both = [heard(one), heard(other)]
    assert traits_of("10.20.0.11", both).keys() == traits_of("10.20.0.11", both[::-1]).keys()


@given(st.text(max_size=40))
def test_whatever_is_called_a_card_can_be_weighed(text: str) -> None:
    assert isinstance(passes(text), bool)
    assert isinstance(settles(text), bool)


@pytest.mark.parametrize(
    ("card", "lent", "stays"),
    [
        ("d4:81:d7:00:00:01", False, True),  # a PC maker's
        ("00:15:5d:00:00:01", True, True),  # Hyper-V's: only while nobody knows for how long
        ("52:54:00:00:00:01", True, True),  # QEMU's
        ("02:00:00:00:00:01", True, False),  # made up
        ("zz", True, False),
        ("", True, False),
    ],
)
def test_cards_that_stay_and_cards_that_do_not(card: str, lent: bool, stays: bool) -> None:  # noqa: FBT001 - a table
    assert (passes(card), settles(card)) == (lent, stays)


@pytest.mark.parametrize(
    "card", ["00:50:56:c0:00:08", "00:05:9A:3C:7A:00", "0a:00:27:00:00:0b", "02:00:4c:4f:4f:50"]
)
def test_a_card_of_everyone_is_no_trait(card: str) -> None:
    assert not [
        kind for kind, _ in traits_of("10.20.0.11", [heard({"netbios.mac": (card,)})]) if kind == CARD
    ]


@pytest.mark.parametrize(
    ("evidence", "name"),
    [
        ({"netbios.name": ("pc1",), "netbios.domain": ("chu",)}, "CHU\\PC1"),
        ({"netbios.name": ("PC1",), "netbios.domain": ("WORKGROUP",)}, "PC1"),
        ({"ntlm.netbios_name": ("PC1",), "ntlm.netbios_domain": ("PC1",)}, "PC1"),
        ({"ntlm.netbios_name": ("SECRETARIAT-MED-1",)}, "SECRETARIAT-MED"),
    ],
)
def test_a_name_has_its_domain(evidence: dict[str, tuple[str, ...]], name: str) -> None:
    assert [value for kind, value in traits_of("10.20.0.11", [heard(evidence)]) if kind == "name"] == [name]


def test_an_engine_that_is_called_by_its_card_tells_the_card() -> None:
    found = traits_of("10.20.0.11", [heard({"snmp.engine_id": ("8000000b03d481d7000001",)})])
    assert (CARD, "d4:81:d7:00:00:01") in found
    zeros = traits_of("10.20.0.11", [heard({"snmp.engine_id": ("8000000b03000000000000",)})])
    assert not [kind for kind, _ in zeros if kind == CARD]


@pytest.mark.parametrize(
    ("subject", "names"),
    [
        ("CN=LX-1.chu.example", ["lx-1.chu.example"]),
        ("C=FR,O=CHU\\, site Nord,CN=Imprimante 3,OU=DSI", ["imprimante 3"]),
        ("CN=*.chu.example", []),
        ("O=CHU,OU=MYCN=x", []),
        ("", []),
    ],
)
def test_a_device_is_known_by_the_common_name_of_its_certificate(subject: str, names: list[str]) -> None:
    found = traits_of("10.20.0.11", [heard({"tls.subject": (subject,)})])
    assert [value for kind, value in found if kind == "subject"] == names


@pytest.mark.parametrize("language", ["en", "fr"])
def test_whatever_machines_are_known_by_has_words_for_people(language: str) -> None:
    kinds = [kind.replace(" ", "_") for kind in rules().kinds]
    assert len(set(known_by(kinds, language).split(", "))) >= len(kinds)
    assert known_by([f"-{kind}" for kind in kinds], language)
