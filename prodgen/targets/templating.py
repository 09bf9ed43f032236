"""The one Jinja2 environment: strict, without surprises, and with errors that name their line."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jinja2 import BaseLoader, Environment, StrictUndefined, TemplateNotFound

PACKAGE = Path(__file__).parents[1]


@cache
def templates_folder() -> Path:
    """The shipped templates: inside the package, or beside it in a checkout."""
    shipped = PACKAGE / "templates"
    return shipped if shipped.is_dir() else PACKAGE.parent / "templates"


class _Loader(BaseLoader):
    def get_source(
        self,
        environment: Environment,  # noqa: ARG002 - Jinja's signature
        template: str,
    ) -> tuple[str, str | None, None]:
        try:
            text = templates_folder().joinpath(template).read_text("utf-8")
        except FileNotFoundError:
            raise TemplateNotFound(template) from None
        return text, template, None


@cache
def environment() -> Environment:
    """The environment that every template is rendered in."""
    return Environment(
        loader=_Loader(),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - no HTML; a context speaks its target's language already
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        newline_sequence="\n",
    )


def render(template: str, context: object) -> str:
    """The text of `template` with the context under the one name `it`."""
    return environment().get_template(template).render(it=context)
