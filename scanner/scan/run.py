"""Carrying a scan out: sweep, classify, record, until everything was visited or someone says stop."""

from __future__ import annotations

import asyncio
import signal
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import uvloop

from scanner.errors import ConfigError
from scanner.language import Message
from scanner.probes import probes
from scanner.process import STOPS, rare_collections, signalled
from scanner.scan.neighbours import announce, announce_left, ask_routers
from scanner.scan.work import Work
from scanner.sweep.connect import sweep
from scanner.transport.sending import sending

if TYPE_CHECKING:
    from collections.abc import Callable

    from scanner.inventory import Recorder
    from scanner.scan.request import Ground
    from scanner.scan.settling import Settling
    from scanner.scan.work import Past, Screen, Tally

_TELL_EVERY: Final = 0.2
"""Seconds between two reports of progress, and between two looks whether something waits to be written."""


def run(  # noqa: PLR0913 - what it goes by, each by name
    ground: Ground,
    recorder: Recorder,
    settling: Settling,
    screen: Screen,
    past: Past,
    *,
    halted: Callable[[], bool] | None = None,
) -> Tally:
    """Carry out a prepared scan.

    The first SIGINT or SIGTERM ends it: what was learnt up to then is recorded, and the tally says so.

    Args:
        ground: where to go, and on which terms.
        recorder: writes what is learnt, as it is learnt.
        settling: turns evidence into identities, and says when enough is known.
        screen: shows how far it is, and what the operator should read.
        past: what this scan has done already, where it goes on after an interruption.
        halted: asked a few times a second whether to end as the first signal would end it.

    Raises:
        NetworkLostError: this machine lost its network; what was learnt is recorded.
        ClockError: the clock jumped; what was learnt is recorded.
        InventoryError: the inventory cannot be written; what was committed is kept.
    """
    work = Work(ground, recorder, settling, screen, past)
    state = "failed"
    try:
        with rare_collections(), sending():
            uvloop.run(_carry_out(work, halted))
        state = "interrupted" if work.tally.interrupted or work.tally.trips else "done"
    finally:
        # No impatient second signal ends the process while the last batch is written; that takes a moment.
        with signalled(signal.SIG_IGN):
            work.settle()
            try:
                work.tally.phantoms = recorder.settle_phantoms()
                work.tally.seen -= work.tally.phantoms
            finally:
                recorder.finish(state, work.tally.counts(), ended=datetime.now(UTC))
    return work.tally


async def _carry_out(work: Work, halted: Callable[[], bool] | None) -> None:
    loop = asyncio.get_running_loop()
    sweeping = asyncio.create_task(_sweep_in_hours(work))

    def stop(*, halted: bool = False) -> None:
        work.tally.interrupted, work.tally.halted = True, halted
        sweeping.cancel()

    for number in STOPS:
        loop.add_signal_handler(number, stop)
    try:
        while not sweeping.done():
            await asyncio.wait({sweeping}, timeout=_TELL_EVERY)
            work.recorder.write_due()
            work.screen.show(work.tally)
            if halted is not None and not work.tally.interrupted and halted():
                stop(halted=True)
        if not work.tally.interrupted:
            await sweeping
    finally:
        sweeping.cancel()
        await asyncio.wait({sweeping})
        if not sweeping.cancelled():
            sweeping.exception()  # seen: what is on its way already says more


async def _sweep_in_hours(work: Work) -> None:
    """Sweep what may be swept now, wait for the hours of the rest, and go on."""
    ground = work.ground
    announce(work)
    while True:
        await _wait_for_hours(work)
        await ask_routers(work)
        seen = work.neighbours.addresses()
        numbers = (number for number in ground.order(seen) if number not in work)
        later = await sweep(numbers, ground.gate, probes(), work, ground.patience, method=ground.method)
        if not later:
            announce_left(work)
            return


async def _wait_for_hours(work: Work) -> None:
    opening = work.ground.opening(datetime.now(UTC))
    if opening is None:
        raise ConfigError("the windows of all wards never open again: nothing can be sent")
    if opening > datetime.now(UTC):
        local = opening.astimezone()
        work.told(
            Message(
                "the window is closed: the scan waits until {time}, and goes on by itself",
                {"time": f"{local:%Y-%m-%d %H:%M %Z}"},
            )
        )
    while datetime.now(UTC) < opening:
        await asyncio.sleep(_TELL_EVERY)
        work.ground.gate.clock.demand_steady()
