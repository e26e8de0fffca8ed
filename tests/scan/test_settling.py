"""When enough is known of a host: the verdict is certain, dated, and on one side of today."""

from __future__ import annotations

from datetime import date

import pytest

from scanner.classify import default_classifier
from scanner.lifecycle import Policy
from scanner.scan import Settling

TODAY = date(2026, 11, 26)
XP = {
    "smb.native_os": ("Windows 5.1",),
    "smb.native_lm": ("Windows 2000 LAN Manager",),
    "ntlm.version": ("5.1.2600",),
}


def settling(today: date = TODAY, **policies: Policy) -> Settling:
    return Settling(default_classifier(), today, policies)


def test_a_windows_xp_that_says_so_itself_needs_no_second_conversation() -> None:
    why = settling().settled(XP, "Cardiologie")
    assert why is not None
    assert why.render() == "what it had said by then settles its verdict: unsupported"


@pytest.mark.parametrize(
    "evidence",
    [
        pytest.param({}, id="nothing is known"),
        pytest.param({"ntlm.version": ("10.0.19041",)}, id="it depends on the edition"),
        pytest.param({"ntlm.version": ("5.1.2600",)}, id="others are known to say the same"),
        pytest.param({**XP, "ntlm.version": ("10.0.19041",)}, id="it contradicts itself"),
        pytest.param({"ntlm.version": ("6.1.0",)}, id="no date is published"),
        pytest.param({"smb.dialect": ("3.1.1",)}, id="only a hint"),
    ],
)
def test_everything_else_is_asked_on(evidence: dict[str, tuple[str, ...]]) -> None:
    assert settling().settled(evidence, "Cardiologie") is None


WINDOWS_7 = {
    "smb.native_os": ("Windows 7 Professional 7601 Service Pack 1",),
    "ntlm.version": ("6.1.7601",),
}
"""Whose support ended on 14 January 2020."""


@pytest.mark.parametrize(
    ("today", "status"),
    [
        (date(2012, 1, 1), "supported"),
        (date(2019, 6, 1), "ending"),
        (date(2020, 1, 14), "ending"),
        (date(2020, 1, 15), "unsupported"),
    ],
)
def test_it_is_settled_by_the_day(today: date, status: str) -> None:
    why = settling(today).settled(WINDOWS_7, "Cardiologie")
    assert why is not None
    assert why.values["status"] == status


def test_it_is_settled_by_what_the_ward_pays_for() -> None:
    paid = Policy(extensions={"windows-7-sp1": date(2030, 1, 1)})
    asked = settling(Cardiologie=paid)
    held, not_held = (asked.settled(WINDOWS_7, ward) for ward in ("Cardiologie", "Pneumologie"))
    assert held is not None
    assert not_held is not None
    assert (held.values["status"], not_held.values["status"]) == ("supported", "unsupported")
