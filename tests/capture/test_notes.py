"""What is heard again and again is kept once; what an address said before its card changed is kept apart."""

from __future__ import annotations

from datetime import UTC, datetime

from scanner.capture.notes import TURNS, Notes
from scanner.model import Transport

WHERE = ("10.0.0.9", 0, Transport.UDP)
ONE, OTHER = "00:1b:78:00:00:01", "00:1b:78:00:00:02"


def card(notes: Notes, at: float, address: str) -> None:
    notes.add(at, ("10.0.0.9", 0, Transport.LINK), "arp", {"mac.address": address})


def said(notes: Notes) -> list[tuple[str, float]]:
    """Each note's words and time, in the order in which they come."""
    return [(next(iter(seen.evidence.values()))[0], seen.at.timestamp()) for seen in notes.take()]


def test_the_same_words_are_one_note_at_their_last_time() -> None:
    notes = Notes()
    for at in (5.0, 9.0, 7.0):
        notes.add(at, WHERE, "ssh", {"ssh.banner": "OpenSSH_9"})
    assert said(notes) == [("OpenSSH_9", 9.0)]
    assert said(notes) == []
    assert notes.since("10.0.0.9") == datetime.fromtimestamp(5, UTC)
    assert notes.since("10.0.0.8") is None


def test_words_before_and_after_a_card_changed_are_two_notes() -> None:
    notes = Notes()
    for at, address in ((1.0, ONE), (2.0, ONE), (3.0, OTHER)):
        card(notes, at, address)
        notes.add(at + 0.5, WHERE, "dhcp", {"dhcp.vendor_class": "MSFT 5.0"})
    words = "MSFT 5.0"
    assert said(notes) == [(ONE, 2.0), (words, 2.5), (OTHER, 3.0), (words, 3.5)]


def test_cards_that_keep_changing_do_not_fill_the_memory() -> None:
    notes = Notes()
    for at in range(1000):
        card(notes, at, (ONE, OTHER)[at % 2])
        notes.add(at, WHERE, "dhcp", {"dhcp.vendor_class": "MSFT 5.0"})
    assert len(said(notes)) <= 2 * (TURNS + 2)
