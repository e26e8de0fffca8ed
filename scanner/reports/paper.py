"""Reports as PDF: WeasyPrint, an extra of the package, is imported here and nowhere else."""

from __future__ import annotations

import logging

from scanner.errors import ConfigError


def pdf_of(html: str) -> bytes:
    """A report on paper; the same bytes for the same report.

    Raises:
        ConfigError: WeasyPrint, or the Pango that it needs, is not there.
    """
    logging.getLogger("weasyprint").setLevel(logging.ERROR)
    try:
        from weasyprint import HTML  # noqa: PLC0415 - half a second, for this alone
        from weasyprint.urls import URLFetcher  # noqa: PLC0415 - the same
    except ImportError as error:
        raise ConfigError(
            "a PDF needs WeasyPrint: pip install 'vetuste[pdf]', or make HTML with --format html"
        ) from error
    except OSError as error:
        raise ConfigError(
            "a PDF needs Pango from the system: apt install libpango-1.0-0 libpangoft2-1.0-0 "
            "libharfbuzz-subset0, or make HTML with --format html"
        ) from error
    nothing = URLFetcher(allowed_protocols=frozenset())  # a report has all that it needs
    document = HTML(string=html, url_fetcher=nothing)
    made: bytes | None = document.write_pdf(pdf_identifier=b"vetuste")
    if made is None:
        raise ConfigError("WeasyPrint made no PDF: make HTML with --format html")
    return made
