"""Writing what a scan brought from elsewhere, batch by batch, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, TypeAlias

from sqlalchemy import func, select

from scanner.addresses import AddressMap, AddressSet, number_of
from scanner.errors import DataError
from scanner.inventory.answers import pack
from scanner.inventory.batch import BatchWriter
from scanner.inventory.beside import other_cards, united
from scanner.inventory.blocks import number_of_block
from scanner.inventory.breakers import keep_trip
from scanner.inventory.carried import Answering, SentOnce, Stopped, Visited
from scanner.inventory.coverage import Marks
from scanner.inventory.ledger import unpacked
from scanner.inventory.phantoms import keep_phantoms
from scanner.inventory.resting import rests_at
from scanner.inventory.statements import insert_rows
from scanner.inventory.tables import COVERAGE, LEDGER, VISITS

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from scanner.classify import Classifier
    from scanner.inventory.carried import Carried, Item, Taken
    from scanner.inventory.interning import Numbers
    from scanner.model import HostRecord, Observation

    _Seen: TypeAlias = tuple[Observation, ...]

_HOSTS: Final = 500
_ATTEMPTS: Final = 20_000
"""So much is written at once."""
AHEAD: Final = timedelta(hours=1)
"""So far may another machine's clock be ahead of ours."""


@dataclass(slots=True)
class Unloading:
    """A scan being written."""

    connection: Connection
    carried: Carried
    classifier: Classifier
    numbers: Numbers
    taken: Taken
    started: datetime
    _hosts: list[HostRecord] = field(default_factory=list)
    _sent: list[SentOnce] = field(default_factory=list)
    _wards: AddressMap[str] | None = field(init=False)
    _writer: BatchWriter = field(init=False)
    _asked: Marks = field(init=False)
    _visits: Marks = field(init=False)
    _last: int = field(init=False)
    _shift: int = field(init=False)
    _latest: datetime = field(init=False)

    def __post_init__(self) -> None:
        file, scan = self.carried.file, self.taken.scan
        self._wards = None
        if file is not None and self.carried.here:
            self._wards = AddressMap(
                (AddressSet.of([net]), each.name) for each in file.wards for net in each.subnets
            )
        self._writer = BatchWriter(scan, self.numbers, late=True)
        self._asked, self._visits = Marks(COVERAGE, self.numbers.site_id), Marks(VISITS, scan)
        before = select(func.max(LEDGER.c.n)).where(LEDGER.c.scan_id == scan)
        self._last = self.connection.scalar(before) or 0
        self._shift = (self.carried.head.started - self.started) // timedelta(milliseconds=1)
        self._latest = datetime.now(UTC) + AHEAD

    def add(self, item: Item) -> None:
        """Write something, sooner or later."""
        connection, site, scan = self.connection, self.numbers.site_id, self.taken.scan
        match item:
            case SentOnce():
                self._send(item)
            case Visited():
                self._visits.mark_all(number_of_block(item.version, item.block) >> 8, item.bits)
            case Stopped():
                keep_trip(connection, site, scan, item.trip, item.cleared)
            case Answering():
                keep_phantoms(connection, site, scan, item.block, item.bits)
            case _:
                self._host(item)

    def finish(self) -> None:
        """Write what is left."""
        self._write_hosts()
        self._write_sent()
        self._visits.write(self.connection)

    def _host(self, host: HostRecord) -> None:
        if any(seen.at > self._latest for seen in host.observations):
            raise DataError("its scan is of the future: the clock there or here is wrong")
        if self._wards is not None:
            ward = self._wards.get(number_of(host.address))
            if ward is None:
                self.taken.outside += 1
                return
            host = replace(host, ward=ward)
        self._hosts.append(host)
        if len(self._hosts) >= _HOSTS:
            self._write_hosts()

    def _write_hosts(self) -> None:
        """Write a batch, each host with what the scan had heard at its address before."""
        hosts, self._hosts = self._hosts, []
        addresses = list(dict.fromkeys(host.address for host in hosts))
        heard = rests_at(self.connection, self.carried.head.name, addresses, self.taken.scan)
        packed = []
        for host in hosts:
            new = host.observations
            heard[host.address] = known = _together(heard.get(host.address, ()), new)
            identity = self.classifier.classify(united(known))
            packed.append((replace(host, identity=identity), tuple(pack(seen.raw) for seen in new)))
            self.taken.hosts += 1
            self.taken.observations += len(new)
        self._writer.write(self.connection, packed)

    def _send(self, sent: SentOnce) -> None:
        self._sent.append(sent)
        self._asked.mark(unpacked(sent.address))
        if len(self._sent) >= _ATTEMPTS:
            self._write_sent()

    def _write_sent(self) -> None:
        values: list[object] = []
        for each in self._sent:
            kind = self.numbers.kind(self.connection, each.kind)
            after = each.after + self._shift
            values += (
                self.taken.scan,
                each.address,
                self._last + each.n,
                after,
                kind,
                each.sent,
                each.received,
            )
        self._sent = []
        insert_rows(self.connection, LEDGER, values)
        self._asked.write(self.connection)


def _together(known: _Seen, new: _Seen) -> _Seen:
    """What one scan heard of a host by now; where its card is another one, the new words stand alone."""
    return new if other_cards(united(new), united(known)) else (*known, *new)
