"""From the inputs and the facts to one plan of what should run."""

from __future__ import annotations

import itertools
import re
from pathlib import PurePosixPath
from typing import NamedTuple

from prodgen.diagnostics import Diagnostic, Location, error, has_errors, note
from prodgen.host.facts import HostFacts
from prodgen.inputs.bench import Bench
from prodgen.inputs.core.values import Values
from prodgen.plan.checks.capacity import mention_many_workers
from prodgen.plan.checks.unserved_queues import mention_unserved
from prodgen.plan.core import defaults as rules
from prodgen.plan.core.context import BenchDefaults, PlanContext
from prodgen.plan.core.model import LineOutcome, Manager, Plan, Proxy, Role, Service
from prodgen.plan.core.options import NginxOptions, SupervisorOptions, SystemdOptions
from prodgen.plan.core.precedence import options_from, resources_from
from prodgen.plan.core.procfile_line import KEPT_KINDS
from prodgen.plan.line_report import report_lines
from prodgen.plan.processes import configured_lines, excluded_processes
from prodgen.plan.services.environment import given_variables, with_variables
from prodgen.plan.services.generic import plan_other
from prodgen.plan.services.realtime import find_node, plan_realtime, plan_scheduler
from prodgen.plan.services.redis import plan_redis
from prodgen.plan.services.secrets import refuse_secrets, with_env_file
from prodgen.plan.services.web import http_timeout, plan_web
from prodgen.plan.services.worker_pool import plan_worker_pools
from prodgen.plan.services.workers import known_queues, plan_workers
from prodgen.plan.sites import plan_sites
from prodgen.plan.skipped import line_outcomes, report_skipped, skipped_lines
from prodgen.plan.versions import known_versions, mention_frappe_version
from prodgen.provenance import Kind, Origin, Sourced, default

BENCH_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
STRANGE = r"[^A-Za-z0-9._-]+"
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Planned(NamedTuple):
    """A plan, or None where an error stands in the way, and the facts that went into it."""

    plan: Plan | None
    used_facts: dict[str, Sourced[object]]
    lines: tuple[LineOutcome, ...] = ()
    """What became of each process, even without a plan."""


def build_plan(
    bench: Bench, facts: HostFacts, *, locked: bool = False
) -> tuple[Planned, list[Diagnostic]]:
    """The plan for the bench on the host of these facts.

    With `locked`, a fact that is needed and unknown is an error rather than a default.
    """
    context = PlanContext(bench, facts, locked=locked)
    lines = configured_lines(context)
    report_lines(context, lines)
    refuse_secrets(context, lines)
    mention_frappe_version(context, lines)
    node = find_node(context, lines)
    defaults = _bench_defaults(context, node)
    web = plan_web(context, defaults, lines)
    realtime = plan_realtime(context, defaults, lines, node)
    scheduler = plan_scheduler(context, defaults, lines)
    known = known_queues(context)
    services = [
        *plan_redis(context, defaults, lines),
        *([web.service] if web else []),
        *([realtime.service] if realtime else []),
        *([scheduler] if scheduler else []),
        *plan_workers(context, defaults, lines, known),
        *plan_worker_pools(context, defaults, lines, known),
        *(plan_other(context, defaults, line) for line in lines if line.kind in KEPT_KINDS),
    ]
    services = with_env_file(context, defaults, services)
    services = with_variables(context, lines, services)
    mention_many_workers(context, services)
    mention_unserved(context, lines, services, known)
    _refuse_shared_names(context, services)
    _refuse_shared_ports(context, services)
    proxy = None
    if web:
        timeout = http_timeout(context)
        proxy = Proxy(
            web=web.address,
            realtime=realtime.address if realtime else None,
            read_timeout=timeout.derive(
                timeout.value + rules.PROXY_MARGIN, "longer than Gunicorn's own time-out"
            ),
        )
    manager = _manager(bench)
    report_skipped(context, lines, services)
    left_out = (*excluded_processes(context), *skipped_lines(context, lines, services))
    plan = Plan(
        bench_name=defaults.name,
        bench=defaults.path,
        user=defaults.user,
        home=defaults.home,
        manager=manager,
        log_folder=_log_folder(context, defaults),
        config_folder=defaults.config_folder,
        services=_with_known_order(services),
        sites=plan_sites(context),
        proxy=proxy,
        left_out=left_out,
        versions=known_versions(context, manager.value),
        nginx=_nginx_options(context),
        systemd=_systemd_options(bench.settings),
        supervisor=_supervisor_options(context),
    )
    outcomes = tuple(line_outcomes(context, lines, left_out))
    made = None if has_errors(context.findings) else plan._replace(lines=outcomes)
    return Planned(made, context.used, outcomes), context.findings


def _nginx_options(context: PlanContext) -> NginxOptions:
    """The chosen options, and for two that nobody chose what suits the host.

    Files compressed beforehand are sent where nginx is known to be able. A kernel that is known to
    have no IPv6 is not asked to listen there.
    """
    options = options_from(context.bench.settings, "nginx", NginxOptions)
    modules, ipv6 = context.facts.nginx_modules, context.facts.ipv6
    if options.gzip_static.origin.kind is Kind.DEFAULT and modules:
        has_it = "http_gzip_static_module" in modules.value
        static = modules.derive(has_it, "whether nginx can send them")
        options = options._replace(gzip_static=static)
    if options.ipv6.origin.kind is Kind.DEFAULT and ipv6 and not ipv6.value:
        if ipv6.origin.kind is Kind.HOST:
            context.used["ipv6"] = ipv6
        options = options._replace(ipv6=ipv6)
    return options


def _systemd_options(settings: Values) -> SystemdOptions:
    """The chosen options, with where logs go and the limits by role."""
    options = options_from(settings, "systemd", SystemdOptions)
    mode = settings.text("logging", "mode")
    return options._replace(logs=mode or options.logs, resources=resources_from(settings))


def _supervisor_options(context: PlanContext) -> SupervisorOptions:
    """The chosen options, the host's folder, and whether the lines of logs go to syslog too."""
    settings, folder = context.bench.settings, context.facts.supervisor_folder
    options = options_from(settings, "supervisor", SupervisorOptions)
    if folder:
        if folder.origin.kind is Kind.HOST:
            context.used["supervisor_folder"] = folder
        options = options._replace(folder=folder)
    mode = settings.text("logging", "mode")
    if mode is None:
        return options
    return options._replace(syslog=mode.derive(mode.value == "journal", "journald reads syslog"))


def _log_folder(context: PlanContext, defaults: BenchDefaults) -> Sourced[PurePosixPath]:
    given = context.bench.settings.text("logging", "folder")
    if given:
        return Sourced(PurePosixPath(given.value), given.origin)
    return defaults.name.derive(
        PurePosixPath("/var/log", defaults.name.value), "root's processes open files there"
    )


def _bench_defaults(context: PlanContext, node: Sourced[PurePosixPath] | None) -> BenchDefaults:
    path = context.fact("path", default(PurePosixPath("/home/frappe/frappe-bench"), "bench's own"))
    user = _user(context)
    home = context.fact("home", default(PurePosixPath("/home", user.value), "the usual place"))
    folders = [str(path.value / "env/bin")]
    if node and str(node.value.parent) not in SYSTEM_PATH.split(":"):
        folders.append(str(node.value.parent))
    search_path = path.derive(
        ":".join([*folders, SYSTEM_PATH]), "the bench's env, node, and the system's programs"
    )
    scope = context.bench.settings.text("systemd", "scope")
    return BenchDefaults(
        _name(context, path),
        path,
        user,
        home,
        search_path,
        given_variables(context),
        is_of_user=_manager(context.bench).value is Manager.SYSTEMD
        and (scope is not None and scope.value == "user"),
    )


def _user(context: PlanContext) -> Sourced[str]:
    given = context.bench.settings.text("user") or context.bench.common.text("frappe_user")
    user = given or context.fact("owner", default("frappe", "bench's own"))
    if user.value == "root":
        advice = (
            "set `user:` in prodgen.yaml to an ordinary user; "
            "`prodgen adopt` gives a bench of root's to it"
        )
        context.report(error("PG502", "the bench would run as root", user.location, advice))
    return user


def _name(context: PlanContext, path: Sourced[PurePosixPath]) -> Sourced[str]:
    given = context.bench.settings.text("bench_name")
    if given:
        return given
    base = path.value.name
    if re.fullmatch(BENCH_NAME, base):
        return path.derive(base, "the name of the bench folder")
    name = re.sub(STRANGE, "-", base).strip("-._")[:64]
    if not name:
        context.report(
            error(
                "PG503",
                f"no name for services can be made of the folder `{base}`",
                None,
                "set bench_name in prodgen.yaml",
            )
        )
        return default("bench", "no better one")
    message = f"the services of the folder `{base}` are called {name}-…"
    context.report(note("PG504", message, None, "set bench_name in prodgen.yaml for another name"))
    return path.derive(name, "the name of the bench folder, without what names cannot have")


def _manager(bench: Bench) -> Sourced[Manager]:
    chosen = bench.settings.text("manager")
    if chosen:
        return Sourced(Manager(chosen.value), chosen.origin)
    flag = bench.common.flag("restart_systemd_on_update")
    if flag and flag.value:
        return flag.derive(Manager.SYSTEMD, "restart_systemd_on_update is set")
    return default(Manager.SUPERVISOR, "bench's own default")


def _with_known_order(services: list[Service]) -> tuple[Service, ...]:
    """The services, each waiting only for those that are there."""
    names = {service.name.value for service in services}
    return tuple(
        service._replace(
            after=Sourced(
                tuple(name for name in service.after.value if name in names), service.after.origin
            ),
        )
        for service in services
    )


def _refuse_shared_names(context: PlanContext, services: list[Service]) -> None:
    seen: dict[str, Service] = {}
    for service in services:
        key = service.name.value.lower().replace("_", "-")
        other = seen.setdefault(key, service)
        if other is not service:
            place = service.argv.location
            context.report(
                error(
                    "PG651",
                    f"two processes would be called {service.name.value}",
                    place,
                    "rename one of them in the Procfile",
                )
            )


def _refuse_shared_ports(context: PlanContext, services: list[Service]) -> None:
    known = [(one, one.address) for one in services if one.address and one.address.value.port]
    for (one, first), (other, second) in itertools.combinations(known, 2):
        if first.value.port != second.value.port or not _meet(one, other):
            continue
        before, place = _place(first.origin), _place(second.origin)
        context.report(
            error(
                "PG606",
                f"{one.description.value} and {other.description.value} would both listen on "
                f"port {first.value.port}",
                place or before,
                "give each its own",
                (("the other use", before),) if place and before else (),
            )
        )


def _meet(one: Service, other: Service) -> bool:
    """Whether two listeners of one port meet: the realtime server takes every address."""
    hosts = {each.address.value.host for each in (one, other) if each.address}
    return len(hosts) == 1 or Role.REALTIME in (one.role.value, other.role.value)


def _place(origin: Origin) -> Location | None:
    """Where a value was given, be it by way of others."""
    if origin.location:
        return origin.location
    return next((found for one in origin.because if (found := _place(one))), None)
