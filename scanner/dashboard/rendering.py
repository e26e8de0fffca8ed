"""Pages from templates: every value is escaped, every word is in the visitor's language."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qsl, urlencode

from starlette.responses import HTMLResponse

from scanner.dashboard import numbers
from scanner.dashboard.pages import pages
from scanner.dashboard.static_files import static
from scanner.dashboard.templating import templates
from scanner.language import LANGUAGES, Message, own_name, translate, translate_plural
from scanner.lifecycle import load_lifecycle

if TYPE_CHECKING:
    from starlette.requests import Request


class Entry(NamedTuple):
    """One entry of the navigation."""

    path: str
    title: Message
    current: bool


def render(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:  # noqa: ANN401 - a template's
    """A page.

    In templates ``_("Text {name}", name=…)`` and ``ngettext(one, many, number)`` are the words of the
    catalogue, ``say(message)`` those of a :class:`~scanner.language.Message`; ``number``, ``percent``,
    ``day`` and ``moment`` write values (:mod:`~scanner.dashboard.numbers`); ``link(sort="-name")`` is
    this page's address with another parameter, ``address(path, ward=…)`` that of another page; ``visitor``
    and ``path`` are always there, ``partial`` where htmx asks for a part of a page,
    ``static(name)`` is a file's address, ``csrf`` what every form that changes anything carries.
    """
    visitor = request.state.visitor
    language = visitor.language

    def words(text: str, **marks: object) -> str:
        return translate(text, language).format(**marks) if marks else translate(text, language)

    def counted(one: str, many: str, number: int) -> str:
        written = numbers.number(number, language)
        return translate_plural(one, many, number, language).format(number=written)

    def say(message: Message) -> str:
        return message.render(language)

    writers = ("number", "percent", "day", "moment")
    page = templates().get_template(template).render(
        _=words, ngettext=counted, say=say, visitor=visitor, language=language, path=request.url.path,
        partial=request.headers.get("hx-request") == "true", csrf=request.state.csrf, static=static,
        **{name: partial(getattr(numbers, name), language=language) for name in writers},
        address=address, link=partial(_link, request), navigation=_navigation(request), languages=LANGUAGES,
        own_name=own_name, data_version=_data_version(), today=request.app.state.house.today,
        **values,
    )  # fmt: skip
    return HTMLResponse(page, status)


def address(path: str, **parameters: object) -> str:
    """The address of a page: names of whatever letters are parameters, never parts of a path.

    A parameter that is None is left out; an empty one stays.
    """
    kept = urlencode({name: str(value) for name, value in parameters.items() if value is not None})
    return f"{path}?{kept}" if kept else path


def _link(request: Request, **changes: object) -> str:
    """This page's address, with some parameters changed; one that is None or empty is left out."""
    query = {**dict(parse_qsl(request.url.query)), **changes}
    kept = urlencode({name: str(value) for name, value in query.items() if value not in (None, "")})
    return f"{request.url.path}?{kept}" if kept else request.url.path


def _navigation(request: Request) -> list[Entry]:
    """The pages that the navigation names and the visitor may ask for."""
    path, role = request.url.path, request.state.visitor.role
    return [
        Entry(
            page.path,
            page.title,
            path == page.path or (page.path != "/" and path.startswith(page.path + "/")),
        )
        for page in pages()
        if page.title is not None and page.needs <= role
    ]


def _data_version() -> str:
    return load_lifecycle().version[:12]
