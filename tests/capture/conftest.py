"""Tests over real captures are collected where those are; a fresh clone has none and skips none."""

from __future__ import annotations

from tests.corpus import CORPUS

collect_ignore = [] if CORPUS else ["test_applications_of_the_corpus.py"]
