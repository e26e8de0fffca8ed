"""Somebody else's account of who scanned a site and when: tcpdump's, and that of a trigger in the database.

Neither knows the fleet's code. What is counted is what a worker says by its own will: connection attempts
and messages. The kernel acknowledges and closes for a process that is stopped or dead, whatever that wants.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

from tests.fleet.scene import POSTS, UNTOUCHABLE
from tests.integration.captures import Sent, busiest_second, lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from tests.fleet.postgres import Postgres

_MEANT = "(tcp[tcpflags] & tcp-push != 0 or tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn)"
_LINE = re.compile(
    r"(?P<at>\d+\.\d+) .* IP (?P<post>[\d.]+)\.\d+ > (?P<host>[\d.]+)\.\d+: Flags \[(?P<flags>\w+)"
)
_TRIGGER = """
CREATE SCHEMA witness;
CREATE TABLE witness.turns (at float8, site text, job bigint, attempt int, status text, worker bigint);
CREATE FUNCTION witness.turn() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
  INSERT INTO witness.turns VALUES (extract(epoch FROM clock_timestamp()), NEW.queue_name, NEW.id,
                                    NEW.attempts, NEW.status, NEW.worker_id);
  RETURN NULL;
END $$;
CREATE TRIGGER witness AFTER UPDATE OF status ON jobs.procrastinate_jobs FOR EACH ROW
WHEN (NEW.status IS DISTINCT FROM OLD.status) EXECUTE FUNCTION witness.turn();
"""


@dataclass(frozen=True, order=True)
class Said:
    """One packet that a worker meant to send."""

    at: float
    post: str
    host: str
    opens: bool
    """Whether it is an attempt to connect."""


@dataclass(frozen=True, order=True)
class Turn:
    """A job changed hands: from now on who took it may send, or nobody."""

    at: float
    job: int
    attempt: int
    status: str


def swear_in(database: Postgres) -> None:
    """Have the database note from now on when which job changed hands."""
    database.ask(_TRIGGER)


def turns(database: Postgres, site: str, since: float = 0) -> list[Turn]:
    """Every turn of a site, in time's order."""
    asked = "SELECT at, job, attempt, status FROM witness.turns WHERE site = %s AND at >= %s ORDER BY at"
    return [Turn(*row) for row in database.ask(asked, site, since)]  # type: ignore[arg-type] # a row has what was asked for


def said(recording: Path) -> list[Said]:
    """What the workers of a site said, in time's order."""
    found = map(_LINE.search, lines("tcpdump", "-tt", "-n", "-r", recording, _MEANT))
    told = (
        Said(float(line["at"]), line["post"], line["host"], line["flags"].startswith("S"))
        for line in found
        if line
    )
    return sorted(told)


def pace(packets: Iterable[Said]) -> int:
    """The most attempts to connect in any second."""
    return busiest_second(Sent(packet.at, packet.host, 0) for packet in packets if packet.opens)


def trespasses(packets: Iterable[Said]) -> list[Said]:
    """What went where nothing may go."""
    forbidden = tuple(map(ip_network, UNTOUCHABLE))
    return [packet for packet in packets if any(ip_address(packet.host) in place for place in forbidden)]


def out_of_turn(packets: Sequence[Said], at: Sequence[Turn]) -> list[tuple[Turn | None, Said]]:
    """What was sent while nobody had a job of the site, or while another post had it.

    Whoever sends first after a job was taken is its taker.
    """
    begins = [turn.at for turn in at]
    takers: dict[int, str] = {}
    wrong: list[tuple[Turn | None, Said]] = []
    for packet in packets:
        place = bisect_right(begins, packet.at) - 1
        turn = at[place] if place >= 0 else None
        mine = turn is not None and turn.status == "doing"
        if not mine or takers.setdefault(place, packet.post) != packet.post:
            wrong.append((turn, packet))
    assert {packet.post for packet in packets} <= set(POSTS)
    return wrong
