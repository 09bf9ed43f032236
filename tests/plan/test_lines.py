"""Every process of a Procfile is kept, replaced, left out or refused, and it is said which."""

from __future__ import annotations

import sys
from types import FrameType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prodgen.diagnostics import Severity
from prodgen.inputs.bench import parse_bench
from prodgen.inputs.core.source import Source
from prodgen.plan.core.line_table import BACKGROUND, FORMS, OTHER
from prodgen.plan.planner import build_plan
from prodgen.plan.views.explain import topics
from tests.support.plans import FACTS, bench_files, codes, try_plan

EXAMPLES = [
    example
    for form in (*FORMS, BACKGROUND, OTHER)
    for example in form.examples
    if not example.startswith("any ")
]
FATES = {"kept", "replaced", "left out", "refused"}
NAMES = st.sampled_from(["web", "worker", "release", "watch", "a", "b-1", "redis_cache"])
COMMANDS = st.one_of(
    st.sampled_from(EXAMPLES),
    st.builds("{} {}".format, st.sampled_from(EXAMPLES), st.sampled_from(["&", "--x", "| cat"])),
    st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20),
)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(NAMES, COMMANDS, min_size=1))
def test_every_line_has_exactly_one_fate_and_a_reason(lines: dict[str, str]) -> None:
    procfile = "".join(f"{name}: {command}\n" for name, command in lines.items())
    bench, _ = parse_bench(bench_files(procfile))
    if bench is None:
        return
    planned, found = build_plan(bench, FACTS)
    assert [one.name for one in planned.lines] == [one.name for one in bench.procfile.entries]
    for one in planned.lines:
        assert one.outcome.value in FATES
        assert one.reason.value
    refused = {one.name for one in planned.lines if one.outcome.value == "refused"}
    if refused:
        assert planned.plan is None
        assert codes(found, Severity.ERROR)
    if planned.plan:
        left_out = {one.name for one in planned.plan.left_out}
        assert left_out == {one.name for one in planned.lines if one.outcome.value == "left out"}
        explained = topics(planned.plan)
        assert all("outcome" in explained[f"Procfile.{one.name}"] for one in planned.lines)


@pytest.mark.parametrize("example", EXAMPLES)
def test_what_bench_does_not_write_itself_draws_a_warning_or_an_error(example: str) -> None:
    """Unless prodgen.yaml has an entry for the line."""
    files = bench_files(f"x: {example}\n", {"redis_queue": "redis://127.0.0.1:11000"})
    bench, _ = parse_bench(files)
    assert bench
    planned, found = build_plan(bench, FACTS)
    is_said = any(
        one.severity is not Severity.NOTE and one.location and one.location.line == 1
        for one in found
    )
    [line] = planned.lines
    changed = line.outcome.value != "replaced" or "--site" in example or "start" in example
    is_ordinary = example == "bench watch"
    assert is_said or not changed or is_ordinary, example


@pytest.mark.parametrize(
    ("line", "entry"),
    [
        ("bot: env/bin/python bot.py", "{}"),
        ("bot: bench --site x execute y", "{}"),
        ("bot: bench --site x worker", "{}"),
        ("bot: yarn dev", "false"),
        ("bot: bench migrate", "false"),
        ("bot: env/bin/gunicorn api:app", "{}"),
        ("bot: while true; do bench worker; done", "{instances: 1}"),
    ],
)
def test_an_entry_in_prodgen_yaml_ends_the_warnings_about_its_line(line: str, entry: str) -> None:
    lines = f"web: bench serve\nschedule: bench schedule\nworker: bench worker\n{line}\n"
    files = bench_files(lines)
    assert codes(try_plan(files)[1], Severity.WARNING)
    settings = Source("prodgen.yaml", f"processes: {{bot: {entry}}}\n")
    assert codes(try_plan(files._replace(settings=settings))[1], Severity.WARNING) == []


def test_a_command_of_prodgen_yaml_runs_even_if_it_looks_like_a_one_shot() -> None:
    files = bench_files("web: bench serve\nbot: bench migrate\n")
    settings = Source("prodgen.yaml", "processes: {bot: {command: yarn dev}}\n")
    plan, _ = try_plan(files._replace(settings=settings))
    assert plan
    assert [one.argv.value for one in plan.services if one.name.value == "frappe-bench-bot"] == [
        ("/usr/bin/env", "yarn", "dev")
    ]


def calls(lines: int) -> int:
    """How many functions a plan of so many lines calls."""
    pools = (f"p{n}: A=1 bench worker-pool\n" for n in range(lines))
    bench, _ = parse_bench(bench_files("web: bench serve\n" + "".join(pools)))
    assert bench
    count = 0

    def note_call(frame: FrameType, event: str, _: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(note_call)
    build_plan(bench, FACTS)
    sys.setprofile(None)
    return count


def test_a_line_costs_the_same_in_a_long_procfile() -> None:
    calls(10)
    assert calls(400) < 2.1 * calls(200)
