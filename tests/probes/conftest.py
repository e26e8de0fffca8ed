"""Tests over recorded answers are collected where those are; a fresh clone has none and skips none."""

from __future__ import annotations

from tests.corpus import CORPUS

collect_ignore = [] if CORPUS else ["test_smb_recorded.py", "test_smb_replays.py"]
