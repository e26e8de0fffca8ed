"""A scan from what was asked to what is recorded: the only package that knows every stage."""

from scanner.scan.listened import SPARED_FOR, listened_to
from scanner.scan.lore import Lore
from scanner.scan.past import lore_of, past_of, request_of, restored
from scanner.scan.request import CONNECT, PATIENCE, Ground, NothingLeftError, Request, prepare
from scanner.scan.run import run
from scanner.scan.settling import Settling
from scanner.scan.work import Past, Screen, Tally

__all__ = [
    "CONNECT",
    "PATIENCE",
    "SPARED_FOR",
    "Ground",
    "Lore",
    "NothingLeftError",
    "Past",
    "Request",
    "Screen",
    "Settling",
    "Tally",
    "listened_to",
    "lore_of",
    "past_of",
    "prepare",
    "request_of",
    "restored",
    "run",
]
