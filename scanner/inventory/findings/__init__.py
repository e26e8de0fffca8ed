"""Findings: what somebody must act on, one for each machine and cause.

Rules open, close and re-open them (:mod:`~scanner.inventory.findings.settling`); people decide the rest
(:mod:`~scanner.inventory.findings.deciding`). Every change has its line of history.
"""
