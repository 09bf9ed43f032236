"""Where the web tier listens: a port, another address, a unix socket; or a refusal."""

from __future__ import annotations

import pytest

from prodgen.diagnostics import Severity
from prodgen.inputs.core.source import Source
from prodgen.plan.core.model import Address, Plan
from prodgen.plan.services.web_address import bind_argument, parse_address
from tests.support.plans import bench_files, codes, make_plan, service, try_plan

SERVE = "web: bench serve --port 8004\n"
GUNICORN = "web: env/bin/gunicorn {} frappe.app:application\n"


def planned(settings: str, procfile: str = SERVE) -> Plan:
    """The plan of a bench with this prodgen.yaml."""
    return make_plan(bench_files(procfile)._replace(settings=Source("prodgen.yaml", settings)))


def found(settings: str, procfile: str = SERVE, severity: Severity | None = None) -> list[str]:
    """What is said of it."""
    files = bench_files(procfile)._replace(settings=Source("prodgen.yaml", settings))
    return codes(try_plan(files)[1], severity)


@pytest.mark.parametrize(
    ("bind", "listen", "proxy"),
    [
        ("127.0.0.1:8100", "127.0.0.1:8100", "127.0.0.1:8100"),
        ("localhost:8100", "127.0.0.1:8100", "127.0.0.1:8100"),
        ("10.0.0.5:8100", "10.0.0.5:8100", "10.0.0.5:8100"),
        ("0.0.0.0:8100", "0.0.0.0:8100", "127.0.0.1:8100"),
        (":8100", "0.0.0.0:8100", "127.0.0.1:8100"),
        ("[::]:8100", "[::]:8100", "[::1]:8100"),
        ("unix:/run/x.sock", "unix:/run/x.sock", "unix:/run/x.sock"),
        ("unix:///run/x y.sock", "unix:/run/x y.sock", "unix:/run/x y.sock"),
    ],
)
def test_the_chosen_address(bind: str, listen: str, proxy: str) -> None:
    plan = planned(f"web: {{bind: '{bind}', port: 9999}}\n")
    web = service(plan, "frappe-web")
    assert web.listen
    assert plan.proxy
    assert (str(web.listen.value), str(plan.proxy.web.value)) == (listen, proxy)


@pytest.mark.parametrize(
    "bind",
    [
        "8000", "unix:", "unix:run/x.sock", "web.example.com:8000", "127.0.0.1:0",
        "127.0.0.1:70000", "fd://0", "unix:/home/frappe/frappe-bench/web.sock",
        "unix:/home/frappe/x.sock", "unix:/tmp/x.sock", "unix:/run/../tmp/x.sock",
    ],
)  # fmt: skip
def test_an_address_that_is_refused(bind: str) -> None:
    assert found(f"web: {{bind: '{bind}'}}\n", severity=Severity.ERROR) == ["PG660"]


def test_a_home_is_its_user_s_own_where_its_user_makes_the_socket() -> None:
    text = "web: {bind: 'unix:/home/frappe/x.sock'}\nsystemd: {scope: user}\n"
    assert found(text, severity=Severity.ERROR) == []


@pytest.mark.parametrize(
    ("bind", "warned"),
    [("10.0.0.5:80", True), ("0.0.0.0:80", True), ("127.0.0.2:80", False), ("[::1]:80", False)],
)
def test_an_address_that_others_reach_draws_a_warning(bind: str, warned: bool) -> None:
    assert ("PG661" in found(f"web: {{bind: '{bind}'}}\n", severity=Severity.WARNING)) is warned


@pytest.mark.parametrize(
    ("options", "settings", "address", "said"),
    [
        ("-b 127.0.0.1:8005", "", Address("127.0.0.1", 8005), []),
        ("--bind=127.0.0.1:8005", "web: {port: 8006}", Address("127.0.0.1", 8006), []),
        ("-b0.0.0.0:8005", "", Address("127.0.0.1", 8005), ["PG662"]),
        ("-b unix:/run/x.sock", "", Address(path="/run/x.sock"), []),
        ("-b unix:/run/x.sock", "web: {port: 8006}", Address("127.0.0.1", 8006), []),
        ("-b unix:web.sock", "", None, ["PG660"]),
        ("-w 4 -t 60 --preload", "", Address("127.0.0.1", 8000), ["PG662"]),
    ],
)
def test_a_gunicorn_line_for_frappe(
    options: str, settings: str, address: Address | None, said: list[str]
) -> None:
    line = GUNICORN.format(options)
    assert [code for code in found(settings, line) if code in ("PG660", "PG662")] == said
    if address:
        plan = planned(settings, line)
        assert plan.proxy
        assert plan.proxy.web.value == address


@pytest.mark.parametrize(
    ("words", "bound"),
    [
        (("-b", "a:1"), "a:1"),
        (("-ba:1",), "a:1"),
        (("--bind", "a:1", "-b", "b:2"), "a:1"),
        (("--bind=a:1",), "a:1"),
        (("-w", "4"), ""),
        (("-b",), ""),
    ],
)
def test_what_a_command_binds_to(words: tuple[str, ...], bound: str) -> None:
    assert bind_argument(words) == bound


@pytest.mark.parametrize("text", ["", ":", "a:b", "::1:80", "[::1]", "1.2.3.4"])
def test_what_is_no_address(text: str) -> None:
    assert parse_address(text) is None


@pytest.mark.parametrize(
    ("lines", "settings", "port"),
    [
        ("web: bench serve --port $PORT", "", 5000),
        ("a: b\nb: c\nweb: bench serve --port ${PORT:-8000}", "", 5200),
        ("web: PORT=8080 bench serve --port $PORT", "", 8080),
        ("web: bench serve --port=$PORT", "env: {PORT: 8081}", 8081),
        ("web: bench serve --port $PORT", "processes: {web: {environment: {PORT: 7}}}", 7),
        ("web: bench serve --port $WEB", "env: {WEB: 8082}", 8082),
        ("web: bench serve --port $WEB", "", 8000),
        ("web: bench serve --port $PORT", "web: {port: 9}", 9),
    ],
)
def test_a_port_of_a_variable(lines: str, settings: str, port: int) -> None:
    plan = make_plan(bench_files(f"{lines}\n")._replace(settings=Source("prodgen.yaml", settings)))
    assert plan.proxy
    assert plan.proxy.web.value.port == port


def test_other_processes_get_the_port_that_honcho_gives() -> None:
    plan = make_plan(bench_files("web: bench serve\nbot: bin/bot $PORT\nc: PORT=9 bin/c\n"))
    ports = {one.log.value: dict(one.environment.value).get("PORT") for one in plan.services}
    assert ports == {"web": None, "bot": "5100", "c": "9"}
