"""Ways to tell somebody: one kind a file, found by being there.

A kind is a :class:`~scanner.alerts.model.Channel` called ``CHANNEL``. It sends to the host that the site file
names and to no other, gives up on one that says nothing, and lets nothing secret into its errors.
"""

from __future__ import annotations

import os
from typing import Final

from scanner.alerts.model import DeliveryError

PATIENCE: Final = 15.0
"""Seconds that a receiver may be silent."""


def secret(name: str) -> str:
    """What an environment variable holds.

    Raises:
        DeliveryError: it is not set, or empty.
    """
    if value := os.environ.get(name, ""):
        return value
    raise DeliveryError("the environment variable {name} is not set", name=name)


def reason(error: OSError) -> str:
    """What the system complains of, without what it was about."""
    return error.strerror or type(error).__name__
