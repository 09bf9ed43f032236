"""Benches that draw the messages about plans, targets and commands: PG5 and above."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath

from prodgen.host.facts import HostFacts, detected
from prodgen.provenance import Sourced
from tests.messages.bench import (
    ABSENT,
    COMMON,
    SETTINGS,
    SITE,
    Case,
    common,
    dotenv,
    procfile,
    settings,
    site,
)
from tests.support.plans import FACTS, declared

FOUND = FACTS._replace(cpus=Sourced(4, detected(4, "CPUs of this machine")))
HERE = FACTS._replace(
    path=Sourced(PurePosixPath("/home/frappe/frappe-bench"), detected("/", "where the bench is")),
    nginx=Sourced("1.22.1", detected("1.22.1", "nginx of this machine")),
)
SYSTEMD: Mapping[str | bytes, object] = {
    COMMON: '{"frappe_user": "frappe", "restart_systemd_on_update": true}'
}
REDIS_LINE = "web: bench serve --port 8000\nredis_queue: redis-server config/redis_queue.conf\n"
SECOND = "sites/b.example.com/site_config.json"
PAIR = '"ssl_certificate": "/c.pem", "ssl_certificate_key": "/k.pem"'
LONG = f"{'a' * 50}.example.com"
REALTIME = "socketio: node apps/frappe/socketio.js\n"
TLS: Mapping[str | bytes, object] = {"sites/tls.example.com/site_config.json": f"{{{PAIR}}}"}


def redis(url: str, conf: str = "", key: str = "redis_queue") -> Case:
    """A bench that looks for its queues there, and the conf file of its own Redis."""
    files: dict[str | bytes, object] = {COMMON: f'{{"{key}": "{url}"}}\n'}
    if conf:
        files[f"config/{key}.conf"] = conf
    return Case(files)


def with_settings(text: str, files: Mapping[str | bytes, object]) -> Case:
    """A bench with a line in prodgen.yaml, and these files."""
    return Case({SETTINGS: f"version: 1\n{text}\n", **files})


def on_host(facts: HostFacts, files: Mapping[str | bytes, object] | None = None) -> Case:
    """A bench on another host."""
    return Case(files or {}, facts=facts)


def of_frappe(version: str) -> dict[str | bytes, object]:
    """The file that says which Frappe it is."""
    return {"apps/frappe/frappe/__init__.py": f'__version__ = "{version}"\n'}


CASES: Mapping[str, tuple[Case, ...]] = {
    "PG500": (on_host(FOUND),),
    "PG501": (Case(words=("validate", "--locked")),),
    "PG502": (
        common('{"frappe_user": "root"}'),
        Case({COMMON: "{}"}, facts=FACTS._replace(owner=declared("root"))),
    ),
    "PG503": (on_host(FACTS._replace(path=declared(PurePosixPath("/srv/测试")))),),
    "PG504": (on_host(FACTS._replace(path=declared(PurePosixPath("/srv/my bench")))),),
    "PG505": (Case({"apps/frappe/frappe/__init__.py": ABSENT}),),
    "PG506": (Case(of_frappe("12.20.0")),),
    "PG510": (
        Case(
            {
                "Procfile": "web: node server.js\nrelease: node migrate.js\n",
                COMMON: ABSENT,
                SITE: ABSENT,
                "apps/frappe/frappe/__init__.py": ABSENT,
            }
        ),
    ),
    "PG601": (common('{"frappe_user": "frappe", "webserver_port": 8001}'),),
    "PG602": (Case({"Procfile": "web: bench serve --port 80000\n"}),),
    "PG603": (common('{"gunicorn_workers": 241}'),),
    "PG604": (Case({"Procfile": "web: bench build && bench serve --port 8000\n"}),),
    "PG605": (procfile("api: gunicorn -b 127.0.0.1:8010 shop.app:application"),),
    "PG606": (
        Case(
            {
                "Procfile": f"web: bench serve --port 9000\n{REALTIME}",
                COMMON: '{\n "webserver_port": 9000,\n "socketio_port": 9000\n}\n',
            }
        ),
    ),
    "PG607": (procfile("watch: bench watch"),),
    "PG608": (dotenv("NAME=a", "OTHER=b"),),
    "PG609": (settings("env_file: /etc/shop/none.env"),),
    "PG610": (procfile("worker: bench worker --queue email"),),
    "PG611": (common('{"workers": {"a,b": {"timeout": 60}}}'),),
    "PG612": (procfile("worker: bench worker --queue"),),
    "PG613": (
        Case(
            {
                "Procfile": "worker-1: bench worker\nworker-2: bench worker\n"
                "web: bench serve --port 8000\n",
                COMMON: '{"background_workers": 1}',
            }
        ),
    ),
    "PG614": (
        Case(
            {
                "Procfile": "web: bench serve --port 8000\nworker: bench worker\n",
                COMMON: '{"workers": {"email": {"background_workers": 0}}}',
            }
        ),
        Case(
            {
                "Procfile": "web: bench serve --port 8000\nworker: bench worker\n",
                COMMON: '{"background_workers": 0}',
            }
        ),
    ),
    "PG615": (
        Case(
            {
                "Procfile": "web: bench serve --port 8000\npool: bench worker-pool\n",
                **of_frappe("14.2.0"),
            }
        ),
    ),
    "PG616": (
        Case(
            {
                "Procfile": "web: bench serve --port 8000\nworker: bench worker\n",
                COMMON: '{"background_workers": 300}',
            }
        ),
    ),
    "PG617": (procfile("worker: bench worker --queue long"),),
    "PG618": (Case({"Procfile": "web: bench serve --port $PORT\n"}),),
    "PG619": (
        Case(
            {
                "Procfile": "web: bench serve --port 8000\nworker: bench worker\n",
                COMMON: '{"workers": {"../../etc/cron.d/x": {"timeout": 300}}}',
            }
        ),
        with_settings("workers: {pools: {a/b: {queues: [short]}}}", {}),
    ),
    "PG620": (redis("localhost:11000"),),
    "PG621": (redis("redis://redis.example.com:6379"), redis("unix:///run/redis/redis.sock")),
    "PG622": (redis("redis://127.0.0.1:11000"),),
    "PG623": (redis("redis://127.0.0.1:11000", "port 12000\n"),),
    "PG624": (common('{"redis_queue_sentinel_enabled": 1}'),),
    "PG625": (redis("redis://127.0.0.1:6379"),),
    "PG626": (
        with_settings(
            "redis: {managed: true}", {COMMON: '{"redis_queue": "redis://:secret@127.0.0.1:11000"}'}
        ),
    ),
    "PG627": (
        with_settings(
            "redis: {managed: true}",
            {COMMON: ABSENT, "Procfile": REDIS_LINE},
        ),
    ),
    "PG628": (
        Case(
            {
                COMMON: '{\n "redis_cache": "redis://localhost:13000/0",\n'
                ' "redis_queue": "redis://127.0.0.1:13000/1"\n}\n',
                "config/redis_cache.conf": "port 13000\nmaxmemory 90mb\n"
                "maxmemory-policy allkeys-lru\n",
            }
        ),
    ),
    "PG629": (
        redis("unix:///tmp/q.sock", "port 0\nunixsocket /tmp/q.sock\n"),
        Case(
            {
                COMMON: '{"socketio_uds": "/tmp/realtime.sock"}',
                "Procfile": f"web: bench serve --port 8000\n{REALTIME}",
            }
        ),
    ),
    "PG630": (
        on_host(
            FACTS._replace(node=None),
            {"Procfile": "socketio: node apps/frappe/socketio.js\nweb: bench serve --port 8000\n"},
        ),
    ),
    "PG631": (
        procfile("socketio: /home/dev/.nvm/versions/node/v18.1.0/bin/node apps/frappe/socketio.js"),
    ),
    "PG632": (procfile("schedule: bench schedule", "schedule-2: bench schedule"),),
    "PG633": (
        with_settings(
            "realtime: {port: 9001}",
            {
                "Procfile": f"{REALTIME}web: bench serve --port 8000\n",
                **of_frappe("14.2.0"),
            },
        ),
    ),
    "PG634": (
        Case(
            {
                COMMON: '{"socketio_backend": "python"}',
                "Procfile": "web: bench serve --port 8000\nsocketio: bench socketio\n",
            }
        ),
    ),
    "PG640": (
        Case({SECOND: '{"domains": ["erp.example.com"]}'}),
        Case(
            {SITE: '{"domains": ["www.example.com"]}', SECOND: '{"domains": ["www.example.com"]}'}
        ),
    ),
    "PG641": (site('{"domains": ["www_example!com"]}'),),
    "PG642": (Case({"sites/my shop/site_config.json": "{}"}),),
    "PG643": (Case({SECOND: "{}", COMMON: '{"dns_multitenant": 0}'}),),
    "PG644": (Case(TLS, ("render", "-t", "nginx"), HERE),),
    "PG645": (Case(TLS),),
    "PG650": (procfile("clock: sleep 1 && bin/clock"),),
    "PG651": (procfile("my-clock: bin/clock", "my_clock: bin/clock"),),
    "PG652": (procfile("bot: env/bin/python -m shop.bot", "gevent: bench gevent-worker"),),
    "PG653": (
        Case({"Procfile": "web: nice bench --site erp.example.com serve --port 8000\n"}),
        procfile("long: while true; do bench worker --queue long; sleep 1; done"),
    ),
    "PG654": (procfile("bot: env/bin/python -m shop.bot &"),),
    "PG655": (procfile("ui: cd apps/crm/frontend && yarn dev"),),
    "PG656": (
        procfile("release: bench --site all migrate"),
        procfile("assets: yarn build"),
    ),
    "PG657": (
        procfile("old: sh -c 'cd sites && exec ../env/bin/python -m frappe.celery_app worker'"),
        Case(
            {
                "Procfile": "web: bench serve --port 8000\n"
                "beat: ../env/bin/python -m frappe.celery_app beat\n",
                **of_frappe("6.27.0"),
            }
        ),
    ),
    "PG658": (Case({"Procfile": "web: bench serve --port 8000\nschedule: bench schedule #\n"}),),
    "PG659": (Case({"Procfile": "web: bench serve --port 8000\nworker: bench worker #\n"}),),
    "PG664": (procfile("web2: bench serve --port 8001"),),
    "PG660": (
        settings("web: {bind: 'unix:run/web.sock'}"),
        settings("web: {bind: 'unix:/tmp/web.sock'}"),
        settings("web: {bind: 'web.example.com:8000'}"),
    ),
    "PG661": (settings("web: {bind: '0.0.0.0:8000'}"),),
    "PG662": (
        Case(
            {
                "Procfile": "web: gunicorn -b 0.0.0.0:8000 --access-logfile x "
                "frappe.app:application\n"
            }
        ),
    ),
    "PG701": (
        with_settings('env: {NAME: "a\\nb"}', {}),
        with_settings("bench_name: sleep", SYSTEMD),
    ),
    "PG703": (Case(words=("render", "-t", "supervisor")),),
    "PG710": (
        on_host(FACTS._replace(systemd=declared("245")), SYSTEMD),
        on_host(FACTS._replace(systemd=None), SYSTEMD),
    ),
    "PG720": (Case({"Procfile": "worker: bench worker\n"}),),
    "PG721": (Case({SITE: ABSENT}),),
    "PG722": (on_host(FACTS._replace(nginx=None), TLS),),
    "PG723": (
        Case({f"sites/s{number}.example.com/site_config.json": "{}" for number in range(800)}),
    ),
    "PG724": (
        Case(
            {SITE: f'{{"domains": [{{"domain": "www.example.com", {PAIR}}}], "nginx_port": 443}}'}
        ),
    ),
    "PG725": (with_settings("nginx: {http3: true}", TLS),),
    "PG726": (
        Case({SITE: '{"domains": ["*.example.com"]}', f"sites/{LONG}/site_config.json": "{}"}),
    ),
    "PG727": (settings("nginx: {trusted_proxies: [10.0.0.0/99]}"),),
    "PG728": (with_settings("nginx: {certificates: map}", TLS),),
}
