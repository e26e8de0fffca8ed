"""A scan from what was asked to what is recorded: the only package that knows every stage."""

from scanner.scan.request import Ground, Request, prepare
from scanner.scan.run import Tally, run

__all__ = ["Ground", "Request", "Tally", "prepare", "run"]
