"""Pages from templates: every value is escaped, every word is in the visitor's language."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse

from scanner.dashboard.static_files import static
from scanner.language import Message, translate, translate_plural

if TYPE_CHECKING:
    from starlette.requests import Request


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("scanner.dashboard"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def render(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:  # noqa: ANN401 - a template's
    """A page.

    In templates ``_("Text {name}", name=…)`` and ``ngettext(one, many, number)`` are the words of the
    catalogue, ``say(message)`` those of a :class:`~scanner.language.Message`; ``visitor`` and ``path`` are
    always there, ``partial`` where htmx asks for a part of a page, ``static(name)`` is a file's address,
    ``csrf`` what every form that changes anything carries.
    """
    visitor = request.state.visitor
    language = visitor.language

    def words(text: str, **marks: object) -> str:
        return translate(text, language).format(**marks) if marks else translate(text, language)

    def counted(one: str, many: str, number: int) -> str:
        return translate_plural(one, many, number, language).format(number=number)

    def say(message: Message) -> str:
        return message.render(language)

    page = _environment().get_template(template).render(
        _=words, ngettext=counted, say=say, visitor=visitor, language=language, path=request.url.path,
        partial=request.headers.get("hx-request") == "true", csrf=request.state.csrf, static=static,
        **values,
    )  # fmt: skip
    return HTMLResponse(page, status)
