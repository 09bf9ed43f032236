"""docs/templates.md says what each template really gets."""

from __future__ import annotations

import re

import pytest
from jinja2 import Template

from prodgen.targets.core.template_errors import names_of
from prodgen.targets.core.templating import shipped_templates
from prodgen.targets.registry import MODULES, load_target
from tests.support.plans import fixture_plan
from tests.support.template_docs import CONTEXTS, MARK, PAGE, included, reference

USED = re.compile(r"\bit\.(\w+)")


def test_the_page_is_up_to_date(request: pytest.FixtureRequest) -> None:
    introduction, mark, made = PAGE.read_text("utf-8").partition(MARK)
    assert mark
    if request.config.getoption("--update-golden"):
        made = reference()
        PAGE.write_text(introduction + mark + made, "utf-8")
    assert made == reference()


def test_every_template_is_on_it() -> None:
    assert {*CONTEXTS, *(name for top in CONTEXTS for name in included(top))} == set(
        shipped_templates()
    )


def test_a_template_gets_the_context_that_the_page_names(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, set[type]] = {}
    real = Template.render

    def render(template: Template, it: object) -> str:
        seen.setdefault(str(template.name), set()).add(type(it))
        return real(template, it=it)

    monkeypatch.setattr(Template, "render", render)
    for name in MODULES:
        load_target(name).render(fixture_plan("frappe-16"))
    assert len(seen) >= 9
    assert seen == {name: {CONTEXTS[name]} for name in seen}


@pytest.mark.parametrize("template", CONTEXTS)
def test_each_name_has_a_use(template: str) -> None:
    texts = [shipped_templates()[name] for name in (template, *included(template))]
    used = {name for text in texts for name in USED.findall(text)}
    assert used == set(names_of(CONTEXTS[template]))
