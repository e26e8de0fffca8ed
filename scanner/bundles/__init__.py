"""One scan as a file: what a site without a line hands over on a stick, and a worker to its centre.

A tar.gz that ordinary tools open and verify (docs/bundles.md). Evidence travels, verdicts do not: the program
that takes a bundle classifies with its own data.
"""

from scanner.bundles.reading import Bundle, read_bundle
from scanner.bundles.taking import end, key_of, take
from scanner.bundles.writing import write_bundle
from scanner.inventory.carried import Taken
from scanner.inventory.giving import Head

__all__ = ["Bundle", "Head", "Taken", "end", "key_of", "read_bundle", "take", "write_bundle"]
