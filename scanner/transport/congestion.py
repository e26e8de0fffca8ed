"""Going slower where a subnet suffers: rising loss or latency halves its rate, calm brings it back."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from scanner.transport.pacing import Pacer

_FAST: Final = 1 / 4
_SLOW: Final = 1 / 32
"""Weights of one more host in the averages that stand for now and for before."""
_SLOWEST: Final = 1 / 256
"""The second of a whole scan: one attempt lost in a thousand makes no lossy network."""
_ENOUGH: Final = 8
"""Hosts before anything is said of a subnet, and between two changes of its rate."""
_LOSS: Final = 0.3
"""How much more of the attempts must be lost now than before: two of the last three hosts, not one."""
_SOME_LOSS: Final = 0.01
_LATENCY: Final = 0.02
"""Seconds by which a handshake may take longer before that means anything: a loaded switch, a busy host."""
_LEAST: Final = 0.5
"""Attempts a second below which no subnet is slowed: it would never end."""
_FASTER: Final = 1.5


@dataclass(slots=True)
class Average:
    """What is now, and what was before."""

    now: float = 0.0
    before: float = 0.0

    def take(self, value: float, slow: float) -> None:
        """One more value; the weight that it has in what was before."""
        self.now += _FAST * (value - self.now)
        self.before += slow * (value - self.before)


@dataclass(slots=True)
class Congestion:
    """The rate of one subnet. A link that is always slow or lossy is normal: only what rises counts."""

    pacer: Pacer
    minded: bool = True
    """Whether anything is to be done about it: not where a profile has no limits."""
    within: Congestion | None = None
    """That of the whole scan: it hears all that this one hears."""
    loss: Average = field(default_factory=Average)
    latency: Average = field(default_factory=Average)
    """Seconds from a SYN to its answer."""
    _hosts: int = 0
    _since: int = 0
    _left: deque[float] = field(default_factory=lambda: deque(maxlen=16))

    @property
    def lossy(self) -> bool:
        """Whether attempts get lost here, or anywhere, now and then: silence is asked more often."""
        everywhere = self.within is not None and self.within.loss.before > _SOME_LOSS
        return self.minded and (everywhere or self.loss.before > _SOME_LOSS)

    def left(self, moment: float) -> None:
        """An attempt left, at this moment of the monotonic clock."""
        self._left.append(moment)

    def answered(self, seconds: float, lost: bool) -> None:  # noqa: FBT001 - a measurement, not a switch
        """A host answered: after so many seconds; an attempt before was lost or not."""
        slow = _SLOW if self.within is not None else _SLOWEST
        if not self._hosts:
            self.latency = Average(seconds, seconds)
        self.loss.take(float(lost), slow)
        self.latency.take(seconds, slow)
        self._hosts += 1
        self._since += 1
        if self.within is not None:
            self.within.answered(seconds, lost)
        if self.minded and self._since >= _ENOUGH:
            self._adapt()

    def _adapt(self) -> None:
        lossier = self.loss.now > 2 * self.loss.before + _LOSS
        slower = self.latency.now > 2 * self.latency.before + _LATENCY
        if lossier or slower:
            self.pacer.rate = max(_LEAST, self._rate() / 2)
            self._since = 0
        elif self.pacer.rate is not None:
            binding = self._rate() > self.pacer.rate / 2
            self.pacer.rate = self.pacer.rate * _FASTER if binding else None
            self._since = 0

    def _rate(self) -> float:
        """Attempts a second, of late."""
        span = self._left[-1] - self._left[0] if len(self._left) > 1 else 0.0
        return (len(self._left) - 1) / span if span else 1 / _LATENCY
