"""Write the page, compare it, or list what is not right."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from scanner.classify import default_classifier
from tests.accuracy.heard import everything
from tests.accuracy.page import page, table
from tests.accuracy.scoring import ASPECTS, Result, score
from tests.corpus import CORPUS, FACTS

PAGE = Path(__file__).parents[2] / "docs" / "accuracy.md"


def _show(results: list[Result], kind: str | None) -> None:
    """What may be looked at and is not right."""
    seen = [each for each in results if not each.case.unseen and kind in {None, each.case.kind}]
    for result in seen:
        marks = [
            f"{aspect} {mark}" for aspect in ASPECTS if (mark := result.mark(aspect)) not in {"", "right"}
        ]
        if marks:
            case, said = result.case, dict(result.identity.attributes)
            wanted = f"{case.vendor}|{case.family}|{case.product}|{case.version}|{case.build}"
            sys.stdout.write(
                f"{case.kind}: {case.label!r}\n   {', '.join(marks)}; wanted {wanted}; said {said}\n"
            )
    sys.stdout.write("\n".join(table(seen)) + "\n")


def main() -> int:
    """Do what the arguments say; 1 where the page is not what is measured now."""
    parser = argparse.ArgumentParser(prog="python -m tests.accuracy", description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare the page instead of writing it")
    parser.add_argument(
        "--show", action="store_true", help="list what is not right, except of the fifth kept back"
    )
    parser.add_argument("--kind", help="only this kind of evidence")
    arguments = parser.parse_args()
    if CORPUS is None or FACTS is None:
        sys.stderr.write("the corpus and the facts are not beside this checkout: nothing was measured\n")
        return 0
    results = score(everything(CORPUS, FACTS), default_classifier())
    if arguments.show:
        _show(results, arguments.kind)
        return 0
    text = page(results)
    if arguments.check:
        current = PAGE.is_file() and PAGE.read_text(encoding="utf-8") == text
        if not current:
            sys.stderr.write("docs/accuracy.md is not what the classification gives now: make accuracy\n")
        return 0 if current else 1
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
