"""The web tier: Gunicorn for every way to write the development server, and its time-outs."""

from __future__ import annotations

import pytest

from prodgen.diagnostics import Severity
from prodgen.inputs.core.source import Source
from prodgen.plan.core.defaults import stop_step
from prodgen.plan.core.model import Address, Role
from tests.support.plans import FACTS, bench_files, codes, declared, make_plan, service, try_plan

GUNICORN = "/home/frappe/frappe-bench/env/bin/gunicorn"


@pytest.mark.parametrize(
    ("line", "port"),
    [
        ("bench serve --port 8004", 8004),
        ("bench serve  --port 8004", 8004),
        ("bench serve --port=8004", 8004),
        ("bench serve --port 8004 --noreload", 8004),
        ("bench serve --noreload --port 8004", 8004),
        ("bench serve --host 0.0.0.0 --port 8004", 8004),
        ("/home/frappe/.local/bin/bench serve --port 8004", 8004),
        ("env/bin/python -m frappe.utils.bench_helper frappe serve --port 8004", 8004),
        ("bench serve", 8000),
        ("bench serve #--port 8004", 8000),
        ("bench serve --port $PORT", 5000),
        ("bench start", 8000),
        ("bench start --port $PORT", 5000),
        ("./env/bin/frappe --serve --sites_path sites", 8000),
        ('bash -c "bench serve --port 8004"', 8004),
        ('bash -c "pip install -r requirements.txt && bench serve --port 8004"', 8004),
        ("sh -c 'cd sites && exec bench serve --port 8004'", 8004),
    ],
)
def test_werkzeug_never_reaches_production(line: str, port: int) -> None:
    plan = make_plan(bench_files(f"web: {line}\n"))
    [web] = plan.services
    assert web.role.value is Role.WEB
    assert web.argv.value[0] == GUNICORN
    assert web.argv.value[-1] == "frappe.app:application"
    assert plan.proxy
    assert plan.proxy.web.value == Address("127.0.0.1", port)


def test_what_else_the_line_did_is_mentioned() -> None:
    _, found = try_plan(bench_files('web: bash -c "pip install x && bench serve"\n'))
    [warning] = [one for one in found if one.code == "PG604"]
    assert "`pip install x`" in warning.message


@pytest.mark.parametrize("name", ["api", "web"])
def test_a_gunicorn_of_another_application_is_a_process_like_any(name: str) -> None:
    line = f"{name}: gunicorn -w 1 -b 0.0.0.0:5000 'app:create_app()'\n"
    for procfile in (f"{line}serve: bench serve\n", f"serve: bench serve\n{line}"):
        plan, found = try_plan(bench_files(procfile))
        assert plan
        words = ("gunicorn", "-w", "1", "-b", "0.0.0.0:5000", "app:create_app()")
        assert service(plan, name).argv.value == ("/usr/bin/env", *words)
        assert service(plan, "frappe-web").gunicorn
        assert plan.proxy
        assert plan.proxy.web.value.port == 8000
        assert plan.left_out == ()
        assert codes(found) == ["PG605"]


@pytest.mark.parametrize("given", [8001, "8001", " 8001 "])
def test_webserver_port_wins_over_the_procfile_with_a_warning(given: object) -> None:
    plan, found = try_plan(bench_files("web: bench serve --port 8010\n", {"webserver_port": given}))
    assert plan
    assert plan.proxy
    assert plan.proxy.web.value.port == 8001
    [warning] = [one for one in found if one.code == "PG601"]
    assert str(warning.location) == "Procfile:1:6"
    assert warning.related[0][1].file == "sites/common_site_config.json"


@pytest.mark.parametrize("port", ["0", "65536", "99999"])
def test_a_port_out_of_range_is_refused(port: str) -> None:
    _, found = try_plan(bench_files(f"web: bench serve --port {port}\n"))
    assert codes(found, Severity.ERROR) == ["PG602"]


@pytest.mark.parametrize(("total", "each"), [(9, 5), (8, 4), (2, 1), (1, 1), ("17", 9)], ids=str)
def test_gunicorn_workers_is_the_total_of_both_instances(total: object, each: int) -> None:
    plan = make_plan(bench_files("web: bench serve\n", {"gunicorn_workers": total}))
    web = service(plan, "frappe-web")
    assert web.instances.value == 2
    assert web.gunicorn
    assert web.gunicorn.workers.value == each


@pytest.mark.pitfall("15")
@pytest.mark.parametrize(
    ("cpus", "gigabytes", "each"),
    [(4, 8, 5), (1, 8, 2), (32, 8, 14), (8, 2, 3), (8, 0.9, 3), (4, 0.25, 1)],
)
def test_the_default_count_minds_cpus_and_memory(cpus: int, gigabytes: float, each: int) -> None:
    facts = FACTS._replace(cpus=declared(cpus), memory=declared(int(gigabytes * 1024**3)))
    web = service(make_plan(bench_files("web: bench serve\n"), facts), "frappe-web")
    assert web.gunicorn
    assert web.gunicorn.workers.value == each


@pytest.mark.parametrize(
    ("gigabytes", "count"), [(None, 2), (8, 2), (2, 2), (1, 2), (0.93, 1), (0.5, 1)]
)
def test_a_second_instance_needs_the_memory_for_it(gigabytes: float | None, count: int) -> None:
    memory = None if gigabytes is None else declared(int(gigabytes * 1024**3))
    facts = FACTS._replace(memory=memory)
    files = bench_files("web: bench serve\n", {"gunicorn_workers": 4})
    web = service(make_plan(files, facts), "frappe-web")
    assert web.instances.value == count
    assert web.gunicorn
    assert web.gunicorn.workers.value == 4 // count
    why = web.instances.origin.text
    assert ("more than a tenth" in why) is (count == 1)


def test_many_workers_draw_a_warning_with_the_arithmetic() -> None:
    """D-SV9 and the corpus: 241 workers."""
    _, found = try_plan(bench_files("web: bench serve\n", {"gunicorn_workers": 241}))
    [warning] = [one for one in found if one.code == "PG603"]
    assert "241 on 4 CPUs" in warning.message
    assert "241 x 150 MB = 36150 MB of 8192 MB" in warning.message


@pytest.mark.parametrize("timeout", [1, 60, 120, 600, 3600, 36000])
def test_each_outer_time_out_is_longer_than_the_inner_one(timeout: int) -> None:
    plan = make_plan(bench_files("web: bench serve\n", {"http_timeout": timeout}))
    web = service(plan, "frappe-web")
    assert web.gunicorn
    assert plan.proxy
    assert web.gunicorn.timeout.value == timeout
    assert timeout <= web.gunicorn.graceful_timeout.value < web.stop.value.seconds
    assert plan.proxy.read_timeout.value > timeout


@pytest.mark.parametrize(
    ("seconds", "step"),
    [
        (1, 120),
        (110, 120),
        (111, 300),
        (120, 300),
        (290, 300),
        (291, 900),
        (3590, 3600),
        (3591, 7200),
    ],
)
def test_the_stop_time_of_the_web_moves_in_steps(seconds: int, step: int) -> None:
    assert stop_step(seconds) == step


@pytest.mark.parametrize(
    ("common", "limit", "jitter"),
    [
        ({"gunicorn_workers": 4}, 5000, 500),
        ({"gunicorn_workers": 1}, 0, 0),
        ({"gunicorn_workers": 4, "gunicorn_max_requests": 1000}, 1000, 100),
        ({"gunicorn_workers": 4, "gunicorn_max_requests": 0}, 0, 0),
    ],
)
def test_max_requests_is_as_bench_has_it(
    common: dict[str, object], limit: int, jitter: int
) -> None:
    web = service(make_plan(bench_files("web: bench serve\n", common)), "frappe-web")
    assert web.gunicorn
    assert (web.gunicorn.max_requests.value, web.gunicorn.max_requests_jitter.value) == (
        limit,
        jitter,
    )


@pytest.mark.parametrize(
    ("common", "settings", "refused"),
    [
        ({"webserver_port": 8004, "socketio_port": 8004}, "", True),
        ({"socketio_port": 8000}, "", True),
        ({}, "web: {port: 9000}", True),
        ({}, "web: {bind: '10.0.0.5:9000'}", True),
        ({"redis_queue": "redis://127.0.0.1:8000"}, "", True),
        ({"redis_queue": "redis://127.0.0.1:8000"}, "web: {bind: '10.0.0.5:8000'}", False),
        ({"webserver_port": 9000}, "realtime: {enabled: false}", False),
        ({}, "", False),
    ],
)
def test_two_servers_on_one_port_are_refused(
    common: dict[str, object], settings: str, *, refused: bool
) -> None:
    files = bench_files(
        "web: bench serve\nsocketio: bench socketio\n", common, redis={"redis_queue": 8000}
    )
    if "redis_queue" not in common:
        files = files._replace(redis_confs={})
    _, found = try_plan(files._replace(settings=Source("prodgen.yaml", settings)))
    assert ("PG606" in codes(found, Severity.ERROR)) is refused
