"""Every form of a line, and its whole family, has the kind that it should."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prodgen.codes import CODES
from prodgen.inputs.core.source import Source
from prodgen.inputs.procfile.parser import parse_procfile
from prodgen.plan.core.line_forms import Form, LineKind
from prodgen.plan.core.line_table import BACKGROUND, FORMS, NAMES, OTHER
from prodgen.plan.core.procfile_line import ProcfileLine, classify_line

HELPER = "env/bin/python -m frappe.utils.bench_helper frappe"


def classify(text: str, name: str = "x") -> ProcfileLine:
    procfile, found = parse_procfile(Source("Procfile", f"{name}: {text}\n"))
    assert not found
    [entry] = procfile.entries
    return classify_line(entry)


FAMILIES = {
    LineKind.SERVE: [
        "bench serve",
        "bench --site x.test serve",
        "bench --site=x.test serve --port 8000 --noreload",
        "bench serve --port 8000 --nothreading",
        "bench --verbose --site x.test --profile serve",
        "/home/u/.local/bin/bench --site 'a b' serve",
        "bench start",
        "./env/bin/frappe --serve --sites_path sites",
        "cd sites && ../env/bin/python -m frappe.utils.bench_helper frappe serve --port 8000",
        "cd sites; exec ../env/bin/python3.11 -u -m frappe.utils.bench_helper frappe serve",
        f"{HELPER} --site x.test serve",
        "env/bin/python apps/frappe/frappe/utils/bench_helper.py frappe serve --port 8001",
        "cd sites && ../env/bin/python ../apps/frappe/frappe/utils/bench_helper.py frappe serve",
        "env/bin/python -m debugpy --listen 5678 -m frappe.utils.bench_helper frappe serve",
        "python -m debugpy --wait-for-client apps/frappe/frappe/utils/bench_helper.py frappe serve",
        "env/bin/debugpy --listen 5678 -m frappe.utils.bench_helper frappe serve",
        "env/bin/python -X dev -W ignore -m pdb -m frappe.utils.bench_helper frappe serve",
        "env/bin/python -m cProfile -o out.prof -m frappe.utils.bench_helper frappe serve",
        "py-spy record -o p.svg -- env/bin/python -m frappe.utils.bench_helper frappe serve",
        "env A=1 B=2 bench serve",
        "env -u A -- bench serve",
        "nice -n 5 ionice -c 3 bench serve",
        "nice -10 bench serve",
        "timeout -k 5 1h bench serve",
        "exec bench serve",
        "nohup stdbuf -oL bench serve",
        "sh -c 'bench serve'",
        "bash -lc 'source env/bin/activate && bench --site x serve'",
        'bash -c "pip install -r requirements.txt && bench serve --port 8000"',
        "bash -euo pipefail -c 'bench serve'",
        "sleep 5; bench serve",
        "export A=1 && bench serve",
        "[ -d sites ] && bench serve || exit 1",
        "DEV_SERVER=1 bench serve",
        "dumb-init -- bench serve",
    ],
    LineKind.GUNICORN: [
        "env/bin/gunicorn frappe.app:application",
        "gunicorn -b 127.0.0.1:8000 -w 4 frappe.app:application --preload",
        "cd sites && ../env/bin/gunicorn frappe.app:application",
        "env/bin/python -m gunicorn frappe.app:application",
        "env/bin/python env/bin/gunicorn frappe.app",
        "ddtrace-run gunicorn frappe.app:application",
    ],
    LineKind.FOREIGN_GUNICORN: [
        "env/bin/gunicorn -b 127.0.0.1:8010 api:app",
        "gunicorn shop.app:application",
        "gunicorn shop.frappe.app:application",
        "python -m gunicorn api:app",
        "cd apps/shop && gunicorn 'shop:create_app()'",
    ],
    LineKind.REALTIME: [
        "node apps/frappe/socketio.js",
        "/home/u/.nvm/versions/node/v18/bin/node /srv/bench/apps/frappe/socketio.js",
        "nodejs ./apps/frappe/socketio.js",
        "bench socketio",
        f"{HELPER} socketio",
        "env/bin/python -m frappe.realtime.server",
    ],
    LineKind.SCHEDULE: ["bench schedule", "bench --site all schedule", f"{HELPER} schedule"],
    LineKind.WORKER: [
        "bench worker",
        "bench --site x worker --queue long",
        "bench worker --queue=long,short --strategy round_robin -u me -p x",
        "while true; do bench worker --queue long; sleep 1; done",
        "until false; do\tbench worker; done",
        "sh -c 'while :; do bench worker; done'",
        f"nice {HELPER} worker --queue short",
        "./env/bin/frappe worker",
    ],
    LineKind.WORKER_POOL: ["bench worker-pool", "bench --site x worker-pool --num-workers 4"],
    LineKind.REDIS: [
        "redis-server config/redis_cache.conf",
        "valkey-server config/redis_queue.conf",
        "keydb-server ./config/redis_queue.conf",
        "redis6-server /srv/bench/config/redis_socketio.conf",
        "/usr/bin/redis-server config/redis_cache.conf --loglevel notice",
    ],
    LineKind.BENCH_WORKER: [
        "bench gevent-worker --queue long",
        "bench --site x.test listen",
        "bench aio-eventdispatcher --queue long",
        "bench --site x.test execute shop.events.listener",
    ],
    LineKind.BENCH_COMMAND: [
        "bench --site x.test execute shop.tasks.run",
        "bench shop-clock --every 5",
        f"{HELPER} --site x shop-clock",
    ],
    LineKind.FOREIGN_WORKER: [
        "env/bin/rq worker high",
        "celery -A shop worker",
        "bundle exec sidekiq -C config/sidekiq.yml",
        "bundle exec rake resque:work",
    ],
    LineKind.CELERY: [
        "sh -c 'cd sites && exec ../env/bin/python -m frappe.celery_app worker'",
        "env/bin/python -m frappe.celery_app beat",
    ],
    LineKind.ONE_SHOT: [
        "bench --site all migrate",
        "bench update --reset",
        "bench build --app shop",
        "bench --site x clear-cache && bench --site x clear-website-cache",
        "bench worker --burst",
        "bench worker-pool --burst --num-workers 2",
        "env/bin/rq worker --burst high",
        f"{HELPER} --site all migrate",
        "rails db:migrate",
        "STATEMENT_TIMEOUT=1 bundle exec rails db:migrate",
        "bin/rake assets:precompile",
        "python manage.py migrate --noinput",
        "bash -c 'python manage.py migrate && python manage.py collectstatic --no-input'",
        "./manage.py collectstatic",
        "alembic upgrade head",
        "flask db upgrade",
        "npx prisma migrate deploy",
        "php artisan migrate --force",
        "npm ci",
        "yarn build",
        "cd apps/shop && npm run build",
        "pip install -r requirements.txt",
        "vite build",
        "git pull",
    ],
    LineKind.DEVELOPMENT: [
        "bench watch",
        "/home/u/.local/bin/bench watch",
        "bench build --watch",
        "bench --site x console",
        "cd apps/crm/frontend && yarn dev",
        "yarn --cwd apps/crm/frontend dev",
        "npm --prefix apps/crm run dev",
        "pnpm -C apps/crm run watch:css",
        "npm run dev:ui -- --host",
        "bun run dev",
        "npx tailwindcss -i a.css -o b.css --watch",
        "tailwindcss -i a.css -o b.css -w",
        "./node_modules/.bin/webpack --mode development --watch",
        "yarn tailwindcss --watch=always",
        "vite",
        "npx vite --port 8080",
        "vite dev",
        "webpack serve",
        "nodemon server.js",
        "node --watch server.js",
        "tsc -w",
        "yarn build --watch",
        "next dev",
        "ng serve",
        "gulp watch",
        "bin/rails tailwindcss:watch",
        "python manage.py runserver 0.0.0.0:8000",
    ],
    LineKind.BACKGROUND: [
        "env/bin/python bot.py &",
        "sh -c 'env/bin/python bot.py &'",
        "nohup env/bin/python bot.py > log 2>&1 &",
        "env/bin/python bot.py & disown",
        "bench worker &",
        "cd apps && (env/bin/python bot.py &)",
        "setsid -f env/bin/python bot.py",
        "gunicorn --daemon shop:app",
        "gunicorn -D -b :8000 frappe.app:application",
        "redis-server config/redis_cache.conf --daemonize yes",
        "bundle exec unicorn_rails -c config/unicorn.rb -D",
        "a && b &",
    ],
    LineKind.OTHER: [
        "env/bin/python -m shop.bot",
        "bash -c 'source env/bin/activate && [[ -d sites ]] && python bot.py'",
        "node apps/shop/socketio.js",
        "node socketio.js",
        "redis-server config/redis_jobs.conf",
        "npm start",
        "bundle exec puma -C config/puma.rb",
        "vite preview",
        "python manage.py poll_queue",
        "next start",
        "a & wait",
        "echo bench serve",
        "env/bin/python -c 'import frappe'",
        "env/bin/python -m myapp.utils.bench_helper frappe serve",
    ],
}
CASES = [(kind, line) for kind, lines in FAMILIES.items() for line in lines]


@pytest.mark.parametrize(("kind", "line"), CASES)
def test_the_kind_of_a_line(kind: LineKind, line: str) -> None:
    assert classify(line).kind is kind


def test_every_kind_has_a_family() -> None:
    assert set(FAMILIES) == set(LineKind)


@pytest.mark.parametrize("form", [*FORMS, BACKGROUND, OTHER], ids=lambda form: form.kind.name)
def test_the_examples_of_the_table_are_of_their_kind(form: Form) -> None:
    for example in form.examples:
        assert classify(example).form.kind is form.kind, example


def test_every_code_of_the_table_is_explained() -> None:
    assert {form.code for form in (*FORMS, BACKGROUND, OTHER, *NAMES.values())} <= set(CODES)


@pytest.mark.parametrize("name", ["release", "postdeploy"])
def test_a_release_is_a_one_shot_whatever_its_command(name: str) -> None:
    assert classify("bin/anything --now", name).kind is LineKind.ONE_SHOT


PREFIXES = st.lists(
    st.sampled_from(
        ["env A=1", "nice -n 5", "exec", "nohup", "timeout 5", "stdbuf -oL", "B=2", "ionice -c3"]
    ),
    max_size=3,
)
SITES = st.sampled_from(["", "--site x.test ", "--site=all ", "--verbose --site x "])
PROGRAMS = st.sampled_from(["bench", "/opt/x/bench", HELPER, "env/bin/frappe"])
COMMANDS = st.sampled_from(
    [
        ("serve --port 8000", LineKind.SERVE),
        ("schedule", LineKind.SCHEDULE),
        ("worker --queue long", LineKind.WORKER),
        ("worker-pool --num-workers 3", LineKind.WORKER_POOL),
        ("migrate", LineKind.ONE_SHOT),
        ("watch", LineKind.DEVELOPMENT),
    ]
)
AROUND = st.sampled_from(["{}", "sh -c '{}'", "cd sites && {}", "bash -lc '{}'", "sleep 1; {}"])


@given(PREFIXES, SITES, PROGRAMS, COMMANDS, AROUND)
def test_wrappers_options_and_spellings_make_no_difference(
    prefixes: list[str], site: str, program: str, command: tuple[str, LineKind], around: str
) -> None:
    text, kind = command
    assignments = [one for one in prefixes if one == "B=2"]
    rest = [one for one in prefixes if one != "B=2"]
    line = around.format(" ".join([*assignments, *rest, f"{program} {site}{text}"]))
    assert classify(line).kind is kind, line


@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126), min_size=1))
def test_any_line_has_a_kind(text: str) -> None:
    procfile, _ = parse_procfile(Source("Procfile", f"x: {text}\n"))
    for entry in procfile.entries:
        assert classify_line(entry).kind in LineKind
