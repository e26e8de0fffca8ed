"""Pages that stand for themselves: for those who are not in, and for errors, whatever the others do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import HTMLResponse

from scanner.dashboard.static_files import static
from scanner.dashboard.templating import templates
from scanner.language import Message, translate

if TYPE_CHECKING:
    from starlette.requests import Request


def render_plain(request: Request, template: str, status: int, **values: object) -> HTMLResponse:
    """A page with words and the form's token, and nothing of the inventory."""
    language = request.state.visitor.language

    def words(text: str) -> str:
        return translate(text, language)

    def say(message: Message) -> str:
        return message.render(language)

    page = templates().get_template(template)
    return HTMLResponse(
        page.render(_=words, say=say, language=language, csrf=request.state.csrf, static=static, **values),
        status,
    )
