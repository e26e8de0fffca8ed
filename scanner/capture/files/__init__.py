"""Capture files: pcap and pcapng, packed with gzip or Zstandard or not, of any size, as frames.

What could be read is kept, and one line says what is wrong with the rest.
"""

from __future__ import annotations

from scanner.capture.files.capture import Capture
from scanner.capture.files.finding import Captures, captures

__all__ = ["Capture", "Captures", "captures"]
