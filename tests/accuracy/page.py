"""The page: two tables of figures, of what may be looked at and of what is kept back."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from tests.accuracy.scoring import ASPECTS, MARKS, TODAY

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tests.accuracy.scoring import Result

_HEAD = f"""\
# Accuracy

Written by `make accuracy`; CI compares it. Real answers of real hosts, and texts that others collected,
classified and judged on {TODAY}. Each host of each capture (by its SMB, RPC and RDP answers alone, and by
all that listening hears of it), and each distinct text, counts once.

A fifth of all, chosen by the hash of its text, is never looked at when patterns are written: it shows how the
product does on what it was not made for. Its figures stand apart, and what is wrong in it is not listed.

* *Right*: nothing but the truth is left. *Undecided*: the truth is among what is left, or nothing is said.
  *Wrong*: something else is said. For decoys, right is whatever is not certain.
* The *family* counts where the collection names one, the *product* and the *version* where it names them; a
  version that is shorter than the true one is right, one that differs is wrong. The *verdict* counts where
  somebody published a date: *undecided* is whoever depends, is ending or is unknown.
* Hashes (icons of web pages, TLS fingerprints) are not read: they name nothing.
"""


def page(results: Sequence[Result]) -> str:
    """The page, in Markdown."""
    seen = [result for result in results if not result.case.unseen]
    unseen = [result for result in results if result.case.unseen]
    lines = [_HEAD]
    for title, part in (("What may be looked at", seen), ("The fifth that is kept back", unseen)):
        lines += [f"## {title}", "", *table(part), "", _of_named_products(part), ""]
    wrong = [_line(result) for result in seen if "wrong" in map(result.mark, ASPECTS)]
    lines += ["## Wrong, among what may be looked at", "", *(wrong or ["None."])]
    return "\n".join(lines) + "\n"


def table(results: Iterable[Result]) -> list[str]:
    """Counts by kind, and of all together, with the shares of those that count."""
    counts: Mapping[str, Counter[tuple[str, str]]] = defaultdict(Counter)
    for result in results:
        for aspect in ASPECTS:
            if mark := result.mark(aspect):
                counts[result.case.kind][aspect, mark] += 1
                counts["all"][aspect, mark] += 1
    heads = [f"{aspect}: {mark}" for aspect in ASPECTS for mark in MARKS]
    rows = [f"| | {' | '.join(heads)} |", "|---" * (len(heads) + 1) + "|"]
    for kind in sorted(counts, key=lambda kind: (kind == "all", kind)):
        cells = [str(counts[kind][aspect, mark]) for aspect in ASPECTS for mark in MARKS]
        rows.append(f"| {kind} | {' | '.join(cells)} |")
    shares = [f"{share(counts['all'], aspect, mark):.1f} %" for aspect in ASPECTS for mark in MARKS]
    return [*rows, f"| share | {' | '.join(shares)} |"]


def share(counts: Counter[tuple[str, str]], aspect: str, mark: str) -> float:
    """Percent of those that count in an aspect."""
    whole = sum(counts[aspect, each] for each in MARKS)
    return 100 * counts[aspect, mark] / whole if whole else 0.0


def _of_named_products(results: Sequence[Result]) -> str:
    """The product again, without the answers of which no word is one product's own."""
    marks = Counter(result.product for result in results if result.product and not result.names_no_product)
    silent = Counter(result.product for result in results if result.product and result.names_no_product)
    named = share(Counter({("product", mark): count for mark, count in marks.items()}), "product", "right")
    return (
        f"{silent.total()} of the answers say a build that several products share, and no word of one of "
        f"them: {silent['right']} are right, {silent['undecided']} undecided. Where the answer names a "
        f"product, it is right for {named:.1f} %."
    )


def _line(result: Result) -> str:
    marks = ", ".join(aspect for aspect in ASPECTS if result.mark(aspect) == "wrong")
    said = " ".join(f"{name}={value}" for name, value in result.identity.attributes.items())
    text = " ".join(result.case.label.replace("\0", " ").split()).replace("`", "'")[:120]
    return f"* {result.case.kind}: `{text}`: {marks} ({said})"
