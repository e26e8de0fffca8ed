"""Pages that stand for themselves: for those who are not in, and for errors, whatever the others do."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse

from scanner.dashboard.static_files import static
from scanner.language import Message, translate

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


def render_plain(request: Request, template: str, status: int, **values: object) -> HTMLResponse:
    """A page with words and the form's token, and nothing of the inventory."""
    language = request.state.visitor.language

    def words(text: str) -> str:
        return translate(text, language)

    def say(message: Message) -> str:
        return message.render(language)

    page = _environment().get_template(template)
    return HTMLResponse(
        page.render(_=words, say=say, language=language, csrf=request.state.csrf, static=static, **values),
        status,
    )
