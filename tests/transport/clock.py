"""A moment, for observations that need one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

WHEN: Final = datetime(2026, 11, 23, 22, 0, tzinfo=UTC)
