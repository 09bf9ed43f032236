"""The table of Procfile lines: what each form is for, and what production makes of it.

The first row that matches a command counts. docs/reference/procfile.md is made from this table.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple

from prodgen.plan.core.command_shape import SimpleCommand
from prodgen.plan.core.wrappers import PACKAGE_RUNNERS


class LineKind(Enum):
    """The kinds of process that the planner knows."""

    SERVE = "the development web server"
    GUNICORN = "Gunicorn"
    REALTIME = "the realtime server"
    SCHEDULE = "the scheduler"
    WORKER = "a worker"
    WORKER_POOL = "a pool of workers"
    REDIS = "Redis"
    DEVELOPMENT = "for development only"
    ONE_SHOT = "a command that ends, not a service"
    CELERY = "of Frappe 6 and older, which had Celery"
    BENCH_COMMAND = "another command of bench"
    BENCH_WORKER = "a worker of another kind"
    FOREIGN_WORKER = "a worker of another program"
    FOREIGN_GUNICORN = "Gunicorn of another application"
    BACKGROUND = "a command that ends while its process runs on"
    OTHER = "something else"


class Disposition(Enum):
    """What becomes of a line; each line has exactly one."""

    KEPT = "kept"
    REPLACED = "replaced"
    LEFT_OUT = "left out"
    REFUSED = "refused"


class Form(NamedTuple):
    """One row of the table. A command matches if every field that is not empty does."""

    kind: LineKind
    disposition: Disposition
    production: str
    """What production makes of it, for people."""
    code: str
    """The diagnostic about it, unless bench itself writes such a line; empty for none."""
    examples: tuple[str, ...]
    programs: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    """The first of these words that is no option."""
    flags: tuple[str, ...] = ()
    """One of these must be among the words."""
    pattern: str = ""
    """Of the words after the program, joined by blanks."""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


BENCH_ONE_SHOTS = _words(
    "migrate update build clear-cache clear-website-cache backup backup-all-sites backup-site "
    "restore partial-restore install-app uninstall-app get-app remove-app new-site drop-site "
    "remove-from-installed-apps reinstall set-config set-common-config set-admin-password setup "
    "init config use pip switch-to-branch switch-to-develop remote-urls remote-set-url "
    "build-search-index rebuild-global-search build-message-files compile-po-to-mo "
    "enable-scheduler disable-scheduler scheduler set-maintenance-mode run-patch reload-doc "
    "reload-doctype export-fixtures export-json export-csv import-doc data-import bulk-rename "
    "list-apps version doctor find ready-for-migration trigger-scheduler-event purge-jobs "
    "show-pending-jobs create-rq-users add-to-hosts trim-tables trim-database bundle migrate-to "
    "migrate-env renew-lets-encrypt restart retry-upgrade exclude-app include-app set-password "
    "install-dependencies validate-dependencies destroy-all-sessions clear-log-table show-config "
    "add-system-manager add-user disable-user request generate-pot-file migrate-csv-to-po "
    "update-po-files"
)
"""Commands of bench and Frappe that end by themselves."""
BUILDERS = _words(
    "vite webpack rollup tsc vue-tsc sass esbuild tailwindcss postcss lessc stylus babel swc "
    "parcel jest vitest mocha karma tsup rspack unocss browserify watchify"
)
WATCHERS = _words(
    "webpack-dev-server nodemon browser-sync live-server livereload ts-node-dev tsnd node-dev "
    "watchexec entr watchmedo watchfiles reflex guard chokidar onchange hupper when-changed "
    "storybook start-storybook ngrok mailhog mailcatcher mailpit shakapacker-dev-server watchify"
)
FRAMEWORKS = _words(
    "next nuxt nuxi astro remix gatsby svelte-kit ng vue-cli-service react-scripts craco ember "
    "quasar expo docusaurus vuepress vitepress parcel turbo nx fastapi wrangler react-router"
)
MAKERS = _words("gulp grunt make just task deno mix cargo composer ant")
INSTALLERS = _words("pip uv poetry pipenv bundle composer gem apt apt-get apk cargo go")
FILE_TOOLS = _words("rm cp mv mkdir ln chmod chown touch install rsync git tar unzip")

FORMS: tuple[Form, ...] = (
    Form(
        LineKind.CELERY,
        Disposition.LEFT_OUT,
        "nothing: Frappe 7 and newer has no Celery",
        "PG657",
        ("../env/bin/python -m frappe.celery_app worker",),
        programs=("python",),
        pattern=r"-m frappe\.(?:celery_app|tasks)\b.*",
    ),
    Form(
        LineKind.SERVE,
        Disposition.REPLACED,
        "Gunicorn with all sites of the bench",
        "PG653",
        ("bench serve --port 8000", "bench --site SITE serve", "bench start"),
        programs=("bench",),
        commands=("serve", "start"),
    ),
    Form(
        LineKind.SERVE,
        Disposition.REPLACED,
        "Gunicorn with all sites of the bench",
        "PG653",
        ("./env/bin/frappe --serve --sites_path sites",),
        programs=("frappe",),
        flags=("--serve",),
    ),
    Form(
        LineKind.GUNICORN,
        Disposition.REPLACED,
        "Gunicorn with prodgen's own settings, on a socket that the manager holds",
        "PG662",
        ("env/bin/gunicorn -b 127.0.0.1:8000 frappe.app:application",),
        programs=("gunicorn",),
        pattern=r"(?:.* )?frappe\.app(?::application\S*)?(?: .*)?",
    ),
    Form(
        LineKind.FOREIGN_GUNICORN,
        Disposition.KEPT,
        "the command as it is written",
        "PG605",
        ("gunicorn -b 127.0.0.1:8010 shop.app:api",),
        programs=("gunicorn",),
    ),
    Form(
        LineKind.REALTIME,
        Disposition.REPLACED,
        "Frappe's realtime server by the host's node, or by Python",
        "PG653",
        ("node apps/frappe/socketio.js", "bench socketio"),
        programs=("node",),
        pattern=r"(?:.* )?(?:\S*/)?apps/frappe/socketio\.js",
    ),
    Form(
        LineKind.REALTIME,
        Disposition.REPLACED,
        "Frappe's realtime server by the host's node, or by Python",
        "PG653",
        ("bench socketio",),
        programs=("bench",),
        commands=("socketio",),
    ),
    Form(
        LineKind.REALTIME,
        Disposition.REPLACED,
        "Frappe's realtime server by the host's node, or by Python",
        "PG653",
        ("env/bin/python -m frappe.realtime.server",),
        programs=("python",),
        pattern=r"-m frappe\.realtime\.server",
    ),
    Form(
        LineKind.ONE_SHOT,
        Disposition.LEFT_OUT,
        "nothing: it empties the queue once and ends",
        "PG656",
        ("bench worker --burst",),
        programs=("bench",),
        commands=("worker", "worker-pool"),
        flags=("--burst",),
    ),
    Form(
        LineKind.SCHEDULE,
        Disposition.REPLACED,
        "the scheduler, once, without bench in between",
        "PG653",
        ("bench schedule", "bench --site all schedule"),
        programs=("bench",),
        commands=("schedule",),
    ),
    Form(
        LineKind.WORKER,
        Disposition.REPLACED,
        "the workers of its queues; without --queue, the pools of all queues",
        "PG653",
        ("bench worker", "bench worker --queue long --strategy round_robin"),
        programs=("bench",),
        commands=("worker",),
    ),
    Form(
        LineKind.WORKER_POOL,
        Disposition.REPLACED,
        "the pool, without bench in between",
        "PG653",
        ("bench worker-pool --num-workers 4",),
        programs=("bench",),
        commands=("worker-pool",),
    ),
    Form(
        LineKind.REDIS,
        Disposition.REPLACED,
        "the server of that conf file, by the host's program, if the bench connects to it",
        "PG653",
        ("redis-server config/redis_queue.conf", "valkey-server config/redis_cache.conf"),
        programs=("redis-server",),
        pattern=r"(?:.* )?(?:\S*/)?config/redis_(?:cache|queue|socketio)\.conf(?: .*)?",
    ),
    Form(
        LineKind.DEVELOPMENT,
        Disposition.LEFT_OUT,
        "nothing: it helps while developing",
        "PG655",
        ("bench watch", "bench console"),
        programs=("bench",),
        commands=_words(
            "watch redis-flush-on-reload console browse mariadb postgres shell jupyter ngrok "
            "run-tests run-parallel-tests run-ui-tests new-app make-app start-recording "
            "stop-recording add-database-index transform-database"
        ),
    ),
    Form(
        LineKind.DEVELOPMENT,
        Disposition.LEFT_OUT,
        "nothing: it builds assets while developing",
        "PG655",
        ("bench build --watch",),
        programs=("bench",),
        commands=("build",),
        flags=("--watch",),
    ),
    Form(
        LineKind.ONE_SHOT,
        Disposition.LEFT_OUT,
        "nothing: it belongs to the deploy (`prodgen restart --migrate`)",
        "PG656",
        ("bench --site all migrate", "bench build", "bench clear-cache", "bench update"),
        programs=("bench",),
        commands=BENCH_ONE_SHOTS,
    ),
    Form(
        LineKind.BENCH_WORKER,
        Disposition.KEPT,
        "the command without bench in between, with a worker's stop time",
        "PG652",
        ("bench gevent-worker --queue long", "bench --site SITE listen"),
        programs=("bench",),
        pattern=r"(?i)(?:.* )?\S*(?:worker|listen|consum|subscri|dispatch)\S*(?: .*)?",
    ),
    Form(
        LineKind.BENCH_COMMAND,
        Disposition.KEPT,
        "the command without bench in between",
        "PG652",
        ("bench --site SITE execute shop.tasks.run", "bench myapp-clock"),
        programs=("bench",),
        pattern=r".*\w.*",
    ),
    Form(
        LineKind.ONE_SHOT,
        Disposition.LEFT_OUT,
        "nothing: it belongs to the deploy",
        "PG656",
        ("rq worker --burst",),
        programs=("rq", "huey_consumer", "arq"),
        flags=("--burst", "-b"),
    ),
    Form(
        LineKind.FOREIGN_WORKER,
        Disposition.KEPT,
        "the command as it is written, with a worker's stop time",
        "PG652",
        ("env/bin/rq worker high", "celery -A shop worker", "bundle exec sidekiq"),
        programs=_words(
            "rq celery dramatiq huey_consumer arq sidekiq good_job taskiq procrastinate"
        ),
    ),
    Form(
        LineKind.DEVELOPMENT,
        Disposition.LEFT_OUT,
        "nothing: it helps while developing",
        "PG655",
        ("yarn dev", "npm run watch", "pnpm --dir apps/crm/frontend dev"),
        programs=tuple(sorted(PACKAGE_RUNNERS)),
        pattern=r"(?:--?\S+ (?:(?!run )[^-\s]\S*[/.]\S* )?|(?:-C|--cwd|--prefix|--dir|--filter|-w|"
        r"--workspace|workspace) \S+ )*(?:run(?:-script)? )?"
        r"(?:\S*:)?(?:dev|develop|development|watch|hot|storybook|livereload)(?::\S+)?(?: .*)?",
    ),
    Form(
        LineKind.DEVELOPMENT,
        Disposition.LEFT_OUT,
        "nothing: it builds assets while developing",
        "PG655",
        ("yarn build --watch",),
        programs=tuple(sorted(PACKAGE_RUNNERS)),
        flags=("--watch", "-w", "--hot", "--watchAll"),
    ),
    Form(
        LineKind.ONE_SHOT,
        Disposition.LEFT_OUT,
        "nothing: it belongs to the deploy",
        "PG656",
        ("npm ci", "yarn build", "pnpm install"),
        programs=tuple(sorted(PACKAGE_RUNNERS)),
        pattern=r"(?:--?\S+ (?:(?!run )[^-\s]\S*[/.]\S* )?|(?:-C|--cwd|--prefix|--dir|--filter|-w|"
        r"--workspace|workspace) \S+ )*(?:run(?:-script)? )?"
        r"(?:ci|install|i|add|build|compile|test|lint|migrate)(?::\S+)?(?: .*)?",
    ),
    Form(
        LineKind.DEVELOPMENT,
        Disposition.LEFT_OUT,
        "nothing: it builds assets while developing",
        "PG655",
        ("tailwindcss -i in.css -o out.css --watch", "npx webpack -w"),
        programs=BUILDERS,
        pattern=r"(?:.* )?(?:-w|--watch(?:=(?!false)\S*)?|--watchAll|watch|serve|dev|--servedir\S*)"
        r"(?: .*)?",
    ),
    Form(
        LineKind.ONE_SHOT,
        Disposition.LEFT_OUT,
        "nothing: it belongs to the deploy",
        "PG656",
        ("vite build",),
        programs=("vite",),
        pattern=r"(?:.* )?(?:build|optimize)(?: .*)?",
    ),
    Form(
        LineKind.ONE_SHOT,
        Disposition.LEFT_OUT,
        "nothing: it belongs to the deploy",
        "PG656",
        ("tsc", "tailwindcss -i in.css -o out.css"),
        programs=tuple(name for name in BUILDERS if name != "vite"),
        pattern=r"(?!.*--serve).*",
    ),
    Form(
        LineKind.DEVELOPMENT,
        Disposition.LEFT_OUT,
        "nothing: it helps while developing",
        "PG655",
        ("vite", "nodemon server.js"),
        programs=(*WATCHERS, "vite"),
        pattern=r"(?!.*\bpreview\b).*",
    ),
    Form(
        LineKind.DEVELOPMENT,
        Disposition.LEFT_OUT,
        "nothing: it is a development server",
        "PG655",
        ("next dev", "ng serve", "gulp watch"),
        programs=(*FRAMEWORKS, *MAKERS),
        pattern=r"(?:.* )?(?:\S*[.:])?(?:dev|develop|watch|run dev|serve|server:dev)(?:[.:]\S+)?"
        r"(?: .*)?",
    ),
    Form(
        LineKind.ONE_SHOT,
        Disposition.LEFT_OUT,
        "nothing: it belongs to the deploy",
        "PG656",
        ("next build", "make assets"),
        programs=(*FRAMEWORKS, *MAKERS),
        pattern=r"(?:.* )?(?:build|compile|install|generate|export|lint|test|migrate|ecto\.\S+|"
        r"assets\S*|release)(?::\S+)?(?: .*)?",
    ),
    Form(
        LineKind.DEVELOPMENT,
        Disposition.LEFT_OUT,
        "nothing: it restarts whenever a file changes",
        "PG655",
        ("node --watch server.js",),
        programs=("node", "deno", "bun"),
        pattern=r"(?:.* )?--(?:watch|watch-path\S*|hot)(?: .*)?",
    ),
    Form(
        LineKind.DEVELOPMENT,
        Disposition.LEFT_OUT,
        "nothing: it is Django's or Flask's development server",
        "PG655",
        ("python manage.py runserver", "flask --debug run"),
        programs=("manage.py", "flask"),
        pattern=r"(?:.* )?(?:runserver\S*|run .*--debug.*|--debug .*run)(?: .*)?",
    ),
    Form(
        LineKind.DEVELOPMENT,
        Disposition.LEFT_OUT,
        "nothing: it builds assets while developing",
        "PG655",
        ("bin/rails tailwindcss:watch", "bin/vite dev"),
        programs=("rails", "rake", "dev"),
        pattern=r"(?:.* )?\S*:(?:watch|dev)\b.*|(?:dev)?",
    ),
    Form(
        LineKind.ONE_SHOT,
        Disposition.LEFT_OUT,
        "nothing: it belongs to the deploy",
        "PG656",
        ("rails db:migrate", "rake assets:precompile"),
        programs=("rails", "rake"),
        pattern=r"(?:.* )?(?:db|assets|tmp|log|cache|data|css|javascript|webpacker|tailwindcss|"
        r"yarn|app|test|spec|\S*migrat\S*)(?::\S+)(?: .*)?",
    ),
    Form(
        LineKind.FOREIGN_WORKER,
        Disposition.KEPT,
        "the command as it is written, with a worker's stop time",
        "PG652",
        ("bundle exec rake resque:work", "rails jobs:work"),
        programs=("rails", "rake"),
        pattern=r"(?:.* )?(?:resque:work|jobs:work|solid_queue:start)(?: .*)?",
    ),
    Form(
        LineKind.ONE_SHOT,
        Disposition.LEFT_OUT,
        "nothing: it belongs to the deploy",
        "PG656",
        ("python manage.py migrate", "manage.py collectstatic --no-input"),
        programs=("manage.py",),
        pattern=r"(?:--?\S+ )*(?:migrate\w*|collectstatic|makemigrations|loaddata|compilemessages|"
        r"makemessages|createcachetable|check|createsuperuser|flush|clearsessions|compress|"
        r"test|seed|syncdb|update_index|rebuild_index|clear_cache)(?: .*)?",
    ),
    Form(
        LineKind.ONE_SHOT,
        Disposition.LEFT_OUT,
        "nothing: it belongs to the deploy",
        "PG656",
        ("alembic upgrade head", "flask db upgrade", "php artisan migrate --force"),
        programs=_words("alembic flask prisma knex sequelize typeorm artisan drizzle-kit dbmate"),
        pattern=r"(?:.* )?(?:upgrade|downgrade|stamp|db(?::\S+|(?= )).*|migrat\S*|generate|seed\S*|"
        r"deploy|push|\w+:(?:cache|clear)|optimize\S*|key:generate|storage:link|up)(?: .*)?",
    ),
    Form(
        LineKind.ONE_SHOT,
        Disposition.LEFT_OUT,
        "nothing: it belongs to the deploy",
        "PG656",
        ("pip install -r requirements.txt", "git pull", "rm -rf tmp"),
        programs=INSTALLERS,
        pattern=r"(?:--?\S+ )*(?:install|sync|update|upgrade|get|add|download|build|lock)(?: .*)?",
    ),
    Form(
        LineKind.ONE_SHOT,
        Disposition.LEFT_OUT,
        "nothing: it belongs to the deploy",
        "PG656",
        ("git pull", "mkdir -p tmp"),
        programs=FILE_TOOLS,
    ),
)
"""Every form but the last one."""
BACKGROUND = Form(
    LineKind.BACKGROUND,
    Disposition.REFUSED,
    "nothing: the manager would start it again and again, since the command ends at once",
    "PG654",
    ("bin/bot &", "gunicorn --daemon shop:app", "redis-server redis.conf --daemonize yes"),
)
RELEASE = Form(
    LineKind.ONE_SHOT,
    Disposition.LEFT_OUT,
    "nothing: it belongs to the deploy",
    "PG656",
    ("any command of a process called `release`",),
)
WATCH = Form(
    LineKind.DEVELOPMENT,
    Disposition.LEFT_OUT,
    "nothing: it helps while developing",
    "PG655",
    ("any command of a process called `watch`",),
)
OTHER = Form(
    LineKind.OTHER,
    Disposition.KEPT,
    "the command as it is written, in the bench's folder",
    "PG652",
    ("env/bin/python -m shop.bot", "node apps/shop/socketio.js"),
)
NAMES: Mapping[str, Form] = {
    "release": RELEASE,
    "postdeploy": RELEASE,
    "predeploy": RELEASE,
    "watch": WATCH,
}
"""Names of processes that say what the process is for, where its command does not."""
DAEMON_OPTIONS: Mapping[str, str] = {
    "gunicorn": r"(?:.* )?(?:-D|--daemon)(?: .*)?",
    "unicorn": r"(?:.* )?(?:-D|--daemonize)(?: .*)?",
    "unicorn_rails": r"(?:.* )?(?:-D|--daemonize)(?: .*)?",
    "puma": r"(?:.* )?(?:-d|--daemon)(?: .*)?",
    "rails": r"(?:s|server) (?:.* )?(?:-d|--daemon)(?: .*)?",
    "sidekiq": r"(?:.* )?(?:-d|--daemon)(?: .*)?",
    "celery": r"(?:.* )?(?:--detach|-D|multi start.*)(?: .*)?",
    "redis-server": r"(?:.* )?--daemonize yes(?: .*)?",
    "uwsgi": r"(?:.* )?(?:-d|--daemonize2?)(?:[= ].*)?",
    "screen": r"(?:.* )?-(?:dm|md)S?(?: .*)?",
    "tmux": r"(?:.* )?(?:new|new-session) (?:.* )?-\w*d\w*(?: .*)?",
    "pm2": r"(?:.* )?start(?!.*--no-daemon).*",
    "supervisord": r"(?!.*(?:-n|--nodaemon)).*",
    "forever": r"start .*",
    "systemd-run": r".*",
    "docker": r"run (?:.* )?(?:-d|--detach)(?: .*)?",
    "at": r".*",
}
"""Options with which a program leaves its process behind and ends."""


def find_form(command: SimpleCommand) -> Form | None:
    """The first row that matches the command; None for a program that no row has."""
    words = _past_runner(command.words)
    program, text = words[0], " ".join(words[1:])
    daemon = DAEMON_OPTIONS.get(program)
    if daemon and re.fullmatch(daemon, text):
        return BACKGROUND
    return next((form for form in FORMS if _matches(form, program, words[1:], text)), None)


def _past_runner(words: tuple[str, ...]) -> tuple[str, ...]:
    """`tailwindcss -w` for `yarn tailwindcss -w`, as far as the tool is in the table."""
    if words[0] in PACKAGE_RUNNERS and len(words) > 1 and words[1] in (*BUILDERS, *WATCHERS):
        return words[1:]
    return words


def _matches(form: Form, program: str, words: tuple[str, ...], text: str) -> bool:
    return (
        program in form.programs
        and (not form.commands or bench_command(words)[0] in form.commands)
        and (not form.flags or any(flag in words for flag in form.flags))
        and (not form.pattern or bool(re.fullmatch(form.pattern, text)))
    )


VALUED = frozenset({"--site", "--use-feature", "--bench-path"})
"""Options before a command of bench or Frappe whose value is the next word."""


def bench_command(words: tuple[str, ...]) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """The command in the words after `bench`, its arguments, and the options before it."""
    rest = list(words)
    before: list[str] = []
    while rest and rest[0].startswith("-"):
        before.append(rest.pop(0))
        if before[-1] in VALUED and rest:
            before.append(rest.pop(0))
    return (rest[0] if rest else "", tuple(rest[1:]), tuple(before))
