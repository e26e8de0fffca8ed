"""Who made a network card, from its address: looked up when evidence is classified."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.classify import default_classifier
from scanner.classify.makers import maker_of, with_makers


@pytest.mark.parametrize(
    ("address", "maker"),
    [
        ("00:0c:29:11:22:33", "VMware, Inc."),
        ("00-0C-29-11-22-33", "VMware, Inc."),
        ("000c.2911.2233", "VMware, Inc."),
        ("00:09:fb:00:00:01", "Philips Patient Monitoring"),  # 24 bits
        ("02:0c:29:11:22:33", ""),  # made up on the spot
        ("ff:ff:ff:ff:ff:ff", ""),
        ("70:b3:d5:00:00", ""),
        ("zz:0c:29:11:22:33", ""),
        ("", ""),
    ],
)
def test_a_card_has_a_maker_where_one_was_assigned(address: str, maker: str) -> None:
    assert maker_of(address) == maker


def test_small_blocks_are_told_from_the_authority_that_hands_them_out() -> None:
    """Of medical makers more than half have blocks of 28 or 36 bits."""
    assert maker_of("70:b3:d5:f2:e0:01")
    assert "IEEE" not in maker_of("70:b3:d5:f2:e0:01")


@given(st.text(max_size=40) | st.from_regex(r"([0-9a-fA-F]{2}[:-]){5}[0-9a-fA-F]{2}", fullmatch=True))
def test_any_text_has_a_maker_or_none(text: str) -> None:
    assert isinstance(maker_of(text), str)


@pytest.mark.parametrize("key", ["netbios.mac", "mac.address", "dhcp.mac"])
def test_the_maker_is_evidence_that_follows_from_evidence(key: str) -> None:
    said = {key: ("00:0c:29:11:22:33",)}
    assert with_makers(said)["mac.vendor"] == ("VMware, Inc.",)
    assert with_makers({**said, "mac.vendor": ("Someone",)})["mac.vendor"] == ("Someone",)
    seen = {"netbios.mac": ("00:09:fb:00:00:01",), "neighbour.mac": ("00:0c:29:11:22:33",)}
    assert with_makers(seen)["mac.vendor"] == ("VMware, Inc.", "Philips Patient Monitoring")
    assert with_makers({"netbios.name": ("PC",)}) == {"netbios.name": ("PC",)}


def test_an_address_that_tells_no_maker_is_not_said_to_be_of_no_use() -> None:
    reasons = default_classifier().classify({"neighbour.mac": ("02:0c:29:11:22:33",)}).reasons
    assert "neighbour" not in " ".join(reason.render() for reason in reasons)


def test_the_proof_shows_the_maker() -> None:
    steps = default_classifier().proof({"netbios.mac": ("00:09:fb:00:00:01",)})
    assert ("mac.vendor", "Philips Patient Monitoring") in {(step.key, step.value) for step in steps}
