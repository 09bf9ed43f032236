"""The table of Procfile lines: what each form is for, and what production makes of it.

The first row that matches a command counts. docs/reference/procfile.md is made from this table.
"""

from __future__ import annotations

from collections.abc import Mapping

from prodgen.plan.core.line_forms import Disposition, Form, LineKind
from prodgen.plan.core.wrappers import PACKAGE_RUNNERS


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _replaced(
    kind: LineKind,
    production: str,
    examples: tuple[str, ...],
    programs: tuple[str, ...],
    *,
    commands: tuple[str, ...] = (),
    flags: tuple[str, ...] = (),
    pattern: str = "",
) -> Form:
    """A row for a process of Frappe's that production runs in a form of its own."""
    replaced = Disposition.REPLACED
    return Form(kind, replaced, production, "PG653", examples, programs, commands, flags, pattern)


def _one_shot(
    examples: tuple[str, ...],
    programs: tuple[str, ...],
    *,
    commands: tuple[str, ...] = (),
    flags: tuple[str, ...] = (),
    pattern: str = "",
    production: str = "nothing: it belongs to the deploy",
) -> Form:
    """A row for a command that does its work once."""
    kind, left_out = LineKind.ONE_SHOT, Disposition.LEFT_OUT
    return Form(kind, left_out, production, "PG656", examples, programs, commands, flags, pattern)


def _development(
    examples: tuple[str, ...],
    programs: tuple[str, ...],
    *,
    commands: tuple[str, ...] = (),
    flags: tuple[str, ...] = (),
    pattern: str = "",
    production: str = "nothing: it helps while developing",
) -> Form:
    """A row for a command that only developers need."""
    kind, left_out = LineKind.DEVELOPMENT, Disposition.LEFT_OUT
    return Form(kind, left_out, production, "PG655", examples, programs, commands, flags, pattern)


RUNNERS = tuple(sorted(PACKAGE_RUNNERS))
RUNNER_OPTIONS = (
    r"(?:--?\S+ (?:(?!run )[^-\s]\S*[/.]\S* )?|(?:-C|--cwd|--prefix|--dir|--filter|-w|--workspace"
    r"|workspace) \S+ )*(?:run(?:-script)? )?"
)
"""Options of yarn, npm, pnpm and bun before the name of a script."""
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

REALTIME = "Frappe's realtime server by the host's node, or by Python"
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
    _replaced(
        LineKind.SERVE,
        "Gunicorn with all sites of the bench",
        ("bench serve --port 8000", "bench --site SITE serve", "bench start"),
        ("bench",),
        commands=("serve", "start"),
    ),
    _replaced(
        LineKind.SERVE,
        "Gunicorn with all sites of the bench",
        ("./env/bin/frappe --serve --sites_path sites",),
        ("frappe",),
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
    _replaced(
        LineKind.REALTIME,
        REALTIME,
        ("node apps/frappe/socketio.js", "bench socketio"),
        ("node",),
        pattern=r"(?:.* )?(?:\S*/)?apps/frappe/socketio\.js",
    ),
    _replaced(LineKind.REALTIME, REALTIME, ("bench socketio",), ("bench",), commands=("socketio",)),
    _replaced(
        LineKind.REALTIME,
        REALTIME,
        ("env/bin/python -m frappe.realtime.server",),
        ("python",),
        pattern=r"-m frappe\.realtime\.server",
    ),
    _one_shot(
        ("bench worker --burst",),
        ("bench",),
        commands=("worker", "worker-pool"),
        flags=("--burst",),
        production="nothing: it empties the queue once and ends",
    ),
    _replaced(
        LineKind.SCHEDULE,
        "the scheduler, once, without bench in between",
        ("bench schedule", "bench --site all schedule"),
        ("bench",),
        commands=("schedule",),
    ),
    _replaced(
        LineKind.WORKER,
        "the workers of its queues; without --queue, the pools of all queues",
        ("bench worker", "bench worker --queue long --strategy round_robin"),
        ("bench",),
        commands=("worker",),
    ),
    _replaced(
        LineKind.WORKER_POOL,
        "the pool, without bench in between",
        ("bench worker-pool --num-workers 4",),
        ("bench",),
        commands=("worker-pool",),
    ),
    _replaced(
        LineKind.REDIS,
        "the server of that conf file, by the host's program, if the bench connects to it",
        ("redis-server config/redis_queue.conf", "valkey-server config/redis_cache.conf"),
        ("redis-server",),
        pattern=r"(?:.* )?(?:\S*/)?config/redis_(?:cache|queue|socketio)\.conf(?: .*)?",
    ),
    _development(
        ("bench watch", "bench console"),
        ("bench",),
        commands=_words(
            "watch redis-flush-on-reload console browse mariadb postgres shell jupyter ngrok "
            "run-tests run-parallel-tests run-ui-tests new-app make-app start-recording "
            "stop-recording add-database-index transform-database"
        ),
    ),
    _development(
        ("bench build --watch",),
        ("bench",),
        commands=("build",),
        flags=("--watch",),
        production="nothing: it builds assets while developing",
    ),
    _one_shot(
        ("bench --site all migrate", "bench build", "bench clear-cache", "bench update"),
        ("bench",),
        commands=BENCH_ONE_SHOTS,
        production="nothing: it belongs to the deploy (`prodgen restart --migrate`)",
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
    _one_shot(("rq worker --burst",), ("rq", "huey_consumer", "arq"), flags=("--burst", "-b")),
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
    _development(
        ("yarn dev", "npm run watch", "pnpm --dir apps/crm/frontend dev"),
        RUNNERS,
        pattern=RUNNER_OPTIONS
        + r"(?:\S*:)?(?:dev|develop|development|watch|hot|storybook|livereload)(?::\S+)?(?: .*)?",
    ),
    _development(
        ("yarn build --watch",),
        RUNNERS,
        flags=("--watch", "-w", "--hot", "--watchAll"),
        production="nothing: it builds assets while developing",
    ),
    _one_shot(
        ("npm ci", "yarn build", "pnpm install"),
        RUNNERS,
        pattern=RUNNER_OPTIONS
        + r"(?:ci|install|i|add|build|compile|test|lint|migrate)(?::\S+)?(?: .*)?",
    ),
    _development(
        ("tailwindcss -i in.css -o out.css --watch", "npx webpack -w"),
        BUILDERS,
        pattern=r"(?:.* )?(?:-w|--watch(?:=(?!false)\S*)?|--watchAll|watch|serve|dev|--servedir\S*)"
        r"(?: .*)?",
        production="nothing: it builds assets while developing",
    ),
    _one_shot(("vite build",), ("vite",), pattern=r"(?:.* )?(?:build|optimize)(?: .*)?"),
    _one_shot(
        ("tsc", "tailwindcss -i in.css -o out.css"),
        tuple(name for name in BUILDERS if name != "vite"),
        pattern=r"(?!.*--serve).*",
    ),
    _development(
        ("vite", "nodemon server.js"), (*WATCHERS, "vite"), pattern=r"(?!.*\bpreview\b).*"
    ),
    _development(
        ("next dev", "ng serve", "gulp watch"),
        (*FRAMEWORKS, *MAKERS),
        pattern=r"(?:.* )?(?:\S*[.:])?(?:dev|develop|watch|run dev|serve|server:dev)(?:[.:]\S+)?"
        r"(?: .*)?",
        production="nothing: it is a development server",
    ),
    _one_shot(
        ("next build", "make assets"),
        (*FRAMEWORKS, *MAKERS),
        pattern=r"(?:.* )?(?:build|compile|install|generate|export|lint|test|migrate|ecto\.\S+|"
        r"assets\S*|release)(?::\S+)?(?: .*)?",
    ),
    _development(
        ("node --watch server.js",),
        ("node", "deno", "bun"),
        pattern=r"(?:.* )?--(?:watch|watch-path\S*|hot)(?: .*)?",
        production="nothing: it restarts whenever a file changes",
    ),
    _development(
        ("python manage.py runserver", "flask --debug run"),
        ("manage.py", "flask"),
        pattern=r"(?:.* )?(?:runserver\S*|run .*--debug.*|--debug .*run)(?: .*)?",
        production="nothing: it is Django's or Flask's development server",
    ),
    _development(
        ("bin/rails tailwindcss:watch", "bin/vite dev"),
        ("rails", "rake", "dev"),
        pattern=r"(?:.* )?\S*:(?:watch|dev)\b.*|(?:dev)?",
        production="nothing: it builds assets while developing",
    ),
    _one_shot(
        ("rails db:migrate", "rake assets:precompile"),
        ("rails", "rake"),
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
    _one_shot(
        ("python manage.py migrate", "manage.py collectstatic --no-input"),
        ("manage.py",),
        pattern=r"(?:--?\S+ )*(?:migrate\w*|collectstatic|makemigrations|loaddata|compilemessages|"
        r"makemessages|createcachetable|check|createsuperuser|flush|clearsessions|compress|"
        r"test|seed|syncdb|update_index|rebuild_index|clear_cache)(?: .*)?",
    ),
    _one_shot(
        ("alembic upgrade head", "flask db upgrade", "php artisan migrate --force"),
        _words("alembic flask prisma knex sequelize typeorm artisan drizzle-kit dbmate"),
        pattern=r"(?:.* )?(?:upgrade|downgrade|stamp|db(?::\S+|(?= )).*|migrat\S*|generate|seed\S*|"
        r"deploy|push|\w+:(?:cache|clear)|optimize\S*|key:generate|storage:link|up)(?: .*)?",
    ),
    _one_shot(
        ("pip install -r requirements.txt", "git pull", "rm -rf tmp"),
        INSTALLERS,
        pattern=r"(?:--?\S+ )*(?:install|sync|update|upgrade|get|add|download|build|lock)(?: .*)?",
    ),
    _one_shot(("git pull", "mkdir -p tmp"), FILE_TOOLS),
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
"""Names of processes that say what they are for, if the command does not."""
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
