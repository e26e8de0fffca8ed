"""Bringing findings up to date, at the end of a command."""

from scanner.inventory.findings.today import settle

__all__ = ["settle"]
