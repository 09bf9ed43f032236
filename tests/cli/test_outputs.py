"""Every JSON that prodgen prints is what the schema that it ships says, and nothing else is."""

from __future__ import annotations

import ast
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from prodgen.app.reports.layout import Layout
from prodgen.app.reports.reporters import REPORTERS
from prodgen.cli.commands import doctor, status
from prodgen.cli.core import live_events
from prodgen.cli.core.live_events import say_refusal
from prodgen.deploy.core.errors import DeployError
from prodgen.deploy.doctor.finding import Finding, Grade
from prodgen.deploy.jobs.orphans import Orphan
from prodgen.deploy.managers.core.base import Process, State
from prodgen.deploy.monitor.status import Row, Status
from prodgen.deploy.session.events import Busy, Event, Waiting
from prodgen.deploy.session.session import as_data
from prodgen.inputs.schema.check import load_schema
from prodgen.plan.core.model import Service
from prodgen.plan.views.json import plan_to_json
from prodgen.review.adopt import json as adopt_data
from prodgen.review.adopt.json import AdoptionReport
from prodgen.review.adopt.nginx.directives import ours_of
from prodgen.review.adopt.nginx.file import adopt_nginx
from prodgen.review.changes.change_set import make_review
from prodgen.review.core.redact import Mask
from prodgen.targets.core.artifacts import Artifact
from prodgen.targets.core.file_set import Placed
from tests.support.command import copy_bench, prodgen
from tests.support.outputs import faults, parse
from tests.support.plans import FIXTURES, ROOT, fixture_plan, plan_of, service
from tests.support.reviewed import plan_with, side
from tests.test_golden import CASES

BUSY = Busy(process="worker-0", pid=7, job="a1", site="a.example.com", queue="long", since=1.5)
EVERY_SETTING = """
version: 1
redis: {managed: true}
systemd: {hardening: strict, read_write_paths: [/mnt/a]}
resources: {web: {memory_max: 2G}, bench: {memory_high: 4G}}
nginx: {trusted_proxies: [10.0.0.0/8]}
"""
PROCFILE = """redis_cache: redis-server config/redis_cache.conf
redis_queue: redis-server config/redis_queue.conf
web: bench serve --port 8000
socketio: node apps/frappe/socketio.js
watch: bench watch
schedule: bench schedule
worker: bench worker
clock: tick >> logs/clock.log
"""
PAIR = {"ssl_certificate": "/c.pem", "ssl_certificate_key": "/k.pem"}


FILES = {
    "Procfile": PROCFILE,
    "prodgen.yaml": EVERY_SETTING,
    "sites/common_site_config.json": """{"redis_cache": "redis://127.0.0.1:13000",
        "redis_queue": "redis://127.0.0.1:11000"}""",
    "sites/a.example.com/site_config.json": json.dumps(PAIR),
    "sites/b.example.com/site_config.json": "{}",
    "apps/frappe/frappe/__init__.py": '__version__ = "15.72.4"',
}


def full_plan() -> Any:
    """The plan, as data, of a bench that has something of everything."""
    with tempfile.TemporaryDirectory(prefix="prodgen-test-") as folder:
        for name, text in FILES.items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        plan, found = plan_of(Path(folder))
    assert plan, found
    return json.loads(json.dumps(plan_to_json(plan)))


def process(of: Service, state: State = State.UP) -> Process:
    return Process(
        name=f"frappe-bench-web:{of.name.value}",
        service=of,
        state=state,
        word="RUNNING",
        pid=7,
    )


def some_status() -> Any:
    web = service(fixture_plan("frappe-16"), "frappe-web")
    row = Row(web.name.value, web.role.value, (process(web),), 1.5, 2048, "gunicorn.conf.py")
    orphans = (Orphan(9, "long", 1.5), Orphan(10, "", None))
    found = Status(rows=(row,), queues={"long": 3}, jobs=(BUSY,), orphans=orphans, notes=("a",))
    return parse("status", status.as_json(found, "frappe-bench"))


def some_findings() -> Any:
    grades = zip(Grade, ("PG957", "PG983", "", "PG949"), strict=True)
    found = [Finding("redis", grade, "a text", "a fix", code) for grade, code in grades]
    return parse("doctor", doctor.as_json(found))


def some_diagnostics() -> Any:
    _, found = plan_of(FIXTURES / "unknown-queue" / "frappe-bench")
    return parse("diagnostics", REPORTERS["json"](found, Layout(PurePosixPath("frappe-bench"))))


@pytest.mark.parametrize("case", CASES)
def test_plan_and_diagnostics_of_every_fixture(case: str) -> None:
    plan, found = plan_of(FIXTURES / case / "frappe-bench")
    parse("diagnostics", REPORTERS["json"](found, Layout(PurePosixPath("frappe-bench"))))
    if plan:
        parse("plan", json.dumps(plan_to_json(plan)))


def test_a_plan_with_something_of_everything() -> None:
    plan = full_plan()
    assert faults("plan", plan) == []
    for part in ("gunicorn", "redis", "address"):
        assert any(one[part] for one in plan["services"]), part
    assert plan["proxy"]
    assert plan["systemd"]["resources"]
    assert any(name["certificate"] for site in plan["sites"] for name in site["names"])


def test_what_the_commands_print() -> None:
    bench = "fixtures/unknown-queue/frappe-bench"
    parse("diagnostics", prodgen("validate", "--format", "json", "-C", bench, cwd=ROOT).out)
    parse("plan", prodgen("plan", "--format", "json").out)


@cache
def printed() -> dict[str, Any]:
    """What is printed about two outputs of one bench, of which the second was edited."""
    with tempfile.TemporaryDirectory(prefix="prodgen-test-") as folder:
        bench = copy_bench(Path(folder, "frappe-bench"))
        old, new = f"{folder}/old", f"{folder}/new"
        assert prodgen("render", "-o", old, cwd=bench).code == 0
        (bench / "prodgen.yaml").write_text("version: 1\nweb: {timeout: 60, workers: 3}\n")
        assert prodgen("render", "-o", new, cwd=bench).code == 0
        kept = f"{folder}/review.json"
        diff = prodgen("diff", "--against", old, "--format", "json", "-o", kept, cwd=bench)
        Path(new, "gunicorn/gunicorn.conf.py").unlink()
        manifest = Path(new, "manifest.json").read_text()
        return {
            "diff": parse("diff", diff.out),
            "manifest": parse("manifest", manifest),
            "review": parse("review", Path(kept).read_text()),
            "verify": parse("verify", prodgen("verify", new, "--format", "json").out),
        }


def test_what_is_printed_about_outputs() -> None:
    found = printed()
    assert found["diff"]["files"]
    assert found["diff"]["steps"]
    assert found["verify"]["problems"]
    assert found["manifest"]["files"]


def test_every_state_fits() -> None:
    web = service(fixture_plan("frappe-16"), "frappe-web")
    for state in State:
        row = Row("a", web.role.value, (process(web, state),), None, 0, "")
        parse("status", status.as_json(Status(rows=(row,)), "frappe-bench"))
    some_status()
    some_findings()


def shown(*given: Event | Waiting) -> list[Any]:
    """What a restart prints for these events."""
    lines: list[dict[str, object]] = []

    class Kept(live_events.JsonLines):
        def _print(self, made: dict[str, object]) -> None:
            lines.append({**made, "time": 1.5})

    report = Kept()
    for one in given:
        report(one)
    return [json.loads(json.dumps(line)) for line in lines]


def some_events() -> list[Any]:
    web = as_data(process(service(fixture_plan("frappe-16"), "frappe-web")))
    return shown(
        Event("restarting", "a", "b", web),
        Event("ready", "a", "b", {"seconds": 1.25}),
        Event("ready", "a", "b", web),
        Event("suspended", "a", data={"expires_in": 60}),
        Event("left", "a", "b", {"worker": BUSY.as_json()}),
        Event("checked", "a", data={"good": 3}),
        Waiting("their jobs to end", (BUSY,)),
        Waiting("", ()),
    )


def test_events_fit() -> None:
    for line in some_events():
        assert faults("events", line) == []


def test_a_refusal_is_the_last_event(capsys: pytest.CaptureFixture[str]) -> None:
    lock = DeployError("PG912", "another prodgen is at work", "wait for its end")
    say_refusal(lock.found, "json", color=False)
    out, err = capsys.readouterr()
    made = json.loads(out)
    assert faults("events", made) == []
    assert (made["event"], made["text"]) == ("refused", "another prodgen is at work")
    [one] = made["diagnostics"]
    assert (one["code"], one["family"]) == ("PG912", "PG901")
    assert err.startswith("error[PG912]: another prodgen is at work\n")
    say_refusal(lock.found, "text", color=False)
    assert capsys.readouterr().out == ""


def said() -> Iterator[tuple[str, set[str]]]:
    """The kind of every event that the source reports, and the names of its data."""
    for path in sorted((ROOT / "prodgen/deploy").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            if node.func.attr not in ("say", "fail") or path.name == "session.py":
                continue
            kind = "problem" if node.func.attr == "fail" else ast.literal_eval(node.args[0])
            extra = {one.arg for one in node.keywords} - {"process"}
            as_process = {"service", "pid", "state"} if None in extra else set()
            yield kind, {name for name in extra if name} | as_process


def described() -> dict[str, dict[str, Any]]:
    """The schema of each kind of event."""
    kinds = load_schema("events")["anyOf"]
    return {one["properties"]["event"]["const"]: one for one in kinds}


def test_every_event_of_the_source_is_described() -> None:
    known, found = described(), list(said())
    assert {kind for kind, _ in found} | {"begin", "waiting", "refused"} == set(known)
    for kind, extra in found:
        fields = {"event", "text", "process", "time", *extra}
        assert fields <= set(known[kind]["properties"]), kind
        assert set(known[kind]["required"]) <= fields, kind


def some_adoption() -> Any:
    """An adoption of what somebody has changed by hand."""
    plan = plan_with()
    new = side(plan, "supervisor")
    path = PurePosixPath("/etc/nginx/conf.d/frappe-bench.conf")
    old = {
        path: Placed((ROOT / "tests/review/adopt/adopted/by-hand/nginx.conf").read_text(), "nginx")
    }
    found = {str(path): adopt_nginx(str(path), old[path].text, ours_of(plan, new))}
    own = [
        Artifact(PurePosixPath("own", place), text, PurePosixPath("/etc/nginx", place), "nginx")
        for place, text in found[str(path)].texts().items()
    ]
    mask = Mask()
    shown = AdoptionReport(
        "frappe-bench", found, [str(path)], own, make_review(old, new, plan, mask)
    )
    return parse("adopt", json.dumps(adopt_data.as_data(shown, mask)))


OUTPUTS: Mapping[str, Callable[[], Any]] = {
    "adopt": some_adoption,
    "plan": full_plan,
    "status": some_status,
    "doctor": some_findings,
    "diagnostics": some_diagnostics,
    "diff": lambda: printed()["diff"],
    "manifest": lambda: printed()["manifest"],
    "review": lambda: printed()["review"],
    "verify": lambda: printed()["verify"],
}
MAPS = ("versions", "old", "new", "queues", "resources", "inputs", "templates")
"""Objects whose keys are names of the bench's own, so that any may stand there."""


def objects(data: Any, key: str = "") -> Iterator[dict[str, Any]]:
    """Every object whose keys are known."""
    if isinstance(data, dict) and key not in MAPS:
        yield data
    if isinstance(data, (dict, list)):
        for name, below in data.items() if isinstance(data, dict) else enumerate(data):
            yield from objects(below, str(name))


@pytest.mark.parametrize("name", OUTPUTS)
def test_a_wrong_output_is_refused(name: str) -> None:
    good = OUTPUTS[name]()
    assert faults(name, {**good, "format_version": 2})
    assert faults(name, {key: good[key] for key in good if key != "format_version"})
    shapes = {frozenset(one): place for place, one in enumerate(objects(good))}
    for place in shapes.values():
        bad = deepcopy(good)
        list(objects(bad))[place]["a_new_key"] = 1
        assert faults(name, bad), place


def test_a_wrong_event_is_refused() -> None:
    for line in some_events():
        assert faults("events", {**line, "a_new_key": 1})
        assert faults("events", {**line, "event": "unheard-of"})
        for key in line:
            if key not in OPTIONAL.get(line["event"], ()):
                assert faults("events", {name: line[name] for name in line if name != key}), key


OPTIONAL = {
    "ready": ("seconds", "service", "pid", "state"),
    "restarting": ("service", "pid", "state"),
}
