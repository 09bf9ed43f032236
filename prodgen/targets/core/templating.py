"""The Jinja2 environments: strict, without surprises, and with errors that name their line.

The shipped templates are trusted. A user's own run in a sandbox, since root may render them
(jinja.palletsprojects.com, "Sandbox").
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import (
    BaseLoader,
    Environment,
    FileSystemBytecodeCache,
    StrictUndefined,
    TemplateNotFound,
)
from jinja2.bccache import Bucket

import prodgen
from prodgen.diagnostics import Diagnostic
from prodgen.inputs.core.source import Source

CACHE = Path(__file__).with_name("__pycache__")


class BadTemplate(Exception):
    """A user's template cannot be rendered; `found` says where and why."""

    def __init__(self, found: Diagnostic) -> None:
        super().__init__(found.message)
        self.found = found


@cache
def templates_folder() -> Path:
    """The folder of the shipped templates.

    A wheel has it inside the package (pyproject.toml, `force-include`). A package without one is in
    a source tree, be it a checkout, an unpacked sdist or what an editable install points to, and
    has it beside itself.
    """
    package = Path(prodgen.__file__).parent
    inside = package / "templates"
    return inside if inside.is_dir() else package.parent / "templates"


def shipped_templates() -> dict[str, str]:
    """The text of every shipped template by its name, `TARGET/FILE`, sorted."""
    folder = templates_folder()
    return {
        str(path.relative_to(folder)): path.read_text("utf-8")
        for path in sorted(folder.glob("*/*"))
    }


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


class _Only(BaseLoader):
    """Knows these texts and nothing else, so that an `include` leads nowhere else."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self.texts = texts

    def get_source(
        self,
        environment: Environment,  # noqa: ARG002 - Jinja's signature
        template: str,
    ) -> tuple[str, str | None, None]:
        if template not in self.texts:
            raise TemplateNotFound(template)
        return self.texts[template], template, None


OPTIONS: dict[str, Any] = {
    "autoescape": False,  # no HTML; a context speaks its target's language already
    "trim_blocks": True,
    "lstrip_blocks": True,
    "keep_trailing_newline": True,
    "newline_sequence": "\n",
}


class _Compiled(FileSystemBytecodeCache):
    """The shipped templates compiled, where Python keeps this module compiled.

    Loading one runs it. Who can write there can change prodgen itself, so it is as safe as that.
    Where nobody may write, each run compiles anew.
    """

    def __init__(self, folder: Path = CACHE) -> None:
        super().__init__(str(folder), f"%s.{sys.implementation.cache_tag}.jinja")

    def get_source_checksum(self, source: str) -> str:
        return super().get_source_checksum(f"{OPTIONS} {source}")

    def dump_bytecode(self, bucket: Bucket) -> None:
        if not sys.dont_write_bytecode:
            with suppress(OSError):
                super().dump_bytecode(bucket)


@cache
def environment() -> Environment:
    """The environment of the shipped templates."""
    return Environment(  # noqa: S701
        loader=_Loader(), undefined=StrictUndefined, bytecode_cache=_Compiled(), **OPTIONS
    )


class _Sandbox:
    """A user's templates over the shipped ones."""

    def __init__(self, own: Mapping[str, Source]) -> None:
        from jinja2.sandbox import ImmutableSandboxedEnvironment

        shipped = {name: Source(name, text) for name, text in shipped_templates().items()}
        self.sources = {**shipped, **own}
        texts = {name: source.text for name, source in self.sources.items()}
        self.environment = ImmutableSandboxedEnvironment(
            loader=_Only(texts), undefined=_Undefined, **OPTIONS
        )
        del self.environment.globals["lipsum"], self.environment.filters["random"]

    def render(self, template: str, context: object) -> str:
        """The text, or BadTemplate: whatever is raised in here was raised by a template."""
        try:
            return self.environment.get_template(template).render(it=context)
        except Exception as failure:
            from prodgen.targets.core.template_errors import explain

            raise BadTemplate(explain(failure, template, self.sources)) from failure


class _Undefined(StrictUndefined):
    """Says what there is instead."""

    __slots__ = ()

    @property
    def _undefined_message(self) -> str:
        from prodgen.targets.core.template_errors import no_such_name

        if self._undefined_hint:
            return self._undefined_hint.rstrip(".")
        return no_such_name(self._undefined_name, self._undefined_obj)


_sandbox: ContextVar[_Sandbox | None] = ContextVar("_sandbox", default=None)


@contextmanager
def using(own: Mapping[str, Source]) -> Iterator[None]:
    """Renders with the user's templates, by name, wherever there is one of that name."""
    before = _sandbox.set(_Sandbox(own) if own else None)
    try:
        yield
    finally:
        _sandbox.reset(before)


def render(template: str, context: object) -> str:
    """The text of `template` with the context under the one name `it`.

    Raises BadTemplate where a user's template fails.
    """
    sandbox = _sandbox.get()
    if sandbox:
        return sandbox.render(template, context)
    return environment().get_template(template).render(it=context)
