"""Messages that a bench alone does not draw: their words, by a call of what makes them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from unittest.mock import patch

from prodgen.app import adopt, apply, host_files, saved_review
from prodgen.app.reports.text import show_diagnostics
from prodgen.app.review import Stopped
from prodgen.cli.core.confirm import agreed
from prodgen.deploy.managers.core.base import Process
from prodgen.deploy.privilege import admission, own_install
from prodgen.deploy.privilege.admission import NotAdmitted
from prodgen.deploy.privilege.belonging import require_own
from prodgen.host.door import Door, in_danger
from prodgen.host.run_as import NOBODY, identity_of
from prodgen.host.trust import Danger
from prodgen.plan.core.model import Manager
from prodgen.targets.core.artifacts import HOST_FILES, Artifact
from prodgen.targets.manifest import NewerFormat
from tests.messages.direct import Direct
from tests.support.reviewed import plan_with
from tests.support.systemd_plans import sourced


def _nobody_there() -> None:
    try:
        agreed("Apply this?")
    except Stopped as stopped:
        show_diagnostics(stopped.found, color=False)


MADE = Danger(Path("/home/frappe/made.tar"), "frappe", "chown -h root: /home/frappe/made.tar")


def _not_roots() -> None:
    show_diagnostics([apply._not_roots(MADE)], color=False)


def _swapped() -> None:
    way = Danger(Path("/home"), "the group devs (eve)", "chmod g-w /home")
    show_diagnostics([in_danger(way)], color=False)


def _of_root() -> None:
    bench = Door(Path("/opt/frappe-bench"), identity_of(0))
    plan = plan_with()._replace(user=sourced("root"))
    show_diagnostics([admission.of_root(bench, plan)], color=False)


def _another() -> None:
    bench = Door(Path("/home/frappe/frappe-bench"), identity_of(NOBODY))
    plan = plan_with()._replace(user=sourced("root"))
    show_diagnostics([admission._another(bench, plan)], color=False)


def _of_another() -> None:
    service = plan_with().services[0]
    one = Process(name="other-bench-web:other-bench-web-0", service=service, user="root")
    bench = Door(Path("/home/frappe/frappe-bench"), identity_of(NOBODY))
    with patch("os.geteuid", lambda: 0):
        try:
            require_own([one], {}, bench, plan_with())
        except NotAdmitted as barred:
            show_diagnostics(barred.found, color=False)


def _own() -> None:
    way = Danger(Path("/home/frappe/.local/bin"), "frappe", "chown -h root: ...")
    found = own_install.not_roots_own(way)
    source = own_install._source()
    show_diagnostics(
        [found._replace(help=found.help.replace(source, "prodgen[restart]"))], color=False
    )


def _nothing_before() -> None:
    try:
        apply._former(Path("/nowhere"))
    except Stopped as stopped:
        show_diagnostics(stopped.found, color=False)


def _moved() -> None:
    now = {"/etc/supervisor/conf.d/frappe-bench.conf": "1"}
    show_diagnostics([saved_review._moved(Path("review.json"), "installed", {}, now)], color=False)


def _not_kept() -> None:
    show_diagnostics([adopt.not_kept(3)], color=False)


def _of_the_host() -> None:
    made = Artifact(
        PurePosixPath("nginx/00-prodgen-host.conf"), "", next(iter(HOST_FILES)), "nginx"
    )
    show_diagnostics(host_files.host_notes([made], Path("/nowhere")), color=False)


def _units() -> None:
    units = ["/etc/systemd/system/frappe-bench.target"]
    show_diagnostics([adopt.under_another(Manager.SYSTEMD, Manager.SUPERVISOR, units)], color=False)


def _newer() -> None:
    path = "/var/lib/prodgen/frappe-bench/manifest.json"
    with patch("prodgen.targets.manifest.__version__", "0.1.0"):
        show_diagnostics([NewerFormat(2).diagnostic(path)], color=False)


DIRECT: Mapping[str, Direct] = {
    "PG805": Direct("apply compares with this machine's /etc first", _nobody_there),
    "PG807": Direct("a review needs files of prodgen in /etc", _moved),
    "PG812": Direct("an adoption needs files in this machine's /etc", _not_kept),
    "PG813": Direct("units lie in this machine's /etc", _units),
    "PG808": Direct("root's apply reads a bench as its owner, who enters no test", _nothing_before),
    "PG814": Direct("what is installed depends on this machine's /etc", _of_the_host),
    "PG815": Direct("no prodgen has written a later format yet", _newer),
    "PG820": Direct("who may write depends on this machine's folders", _swapped),
    "PG821": Direct("only root is told", _of_root),
    "PG822": Direct("only root is told", _another),
    "PG824": Direct("only root is told", _of_another),
    "PG823": Direct("who may write depends on this machine's folders", _own),
    "PG809": Direct("who may write depends on this machine's folders", _not_roots),
}
