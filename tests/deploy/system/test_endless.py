"""A pipe, a device or an endless file in the place of what prodgen reads is refused at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path, PurePosixPath

import pytest

from prodgen.app.review import Comparison, Stopped
from prodgen.app.saved_review import check_review
from prodgen.deploy.apply import health, takeover
from prodgen.deploy.core.errors import DeployError
from prodgen.deploy.doctor.files import check_certificates
from prodgen.deploy.managers.core.base import Process, State
from prodgen.deploy.managers.supervisor.core.rpc import find_server
from prodgen.deploy.output.archives import BadArchive
from prodgen.deploy.output.reader import read_output
from prodgen.deploy.output.rendered import NotRendered, read_rendered
from prodgen.deploy.output.user_templates import read_templates
from prodgen.deploy.system.atomic_write import read_file
from prodgen.host.certificates import faults_of
from prodgen.host.door import read_named
from prodgen.inputs.reader import read_bench
from prodgen.targets.registry import load_places
from tests.support.command import copy_bench
from tests.support.endless import KINDS, put
from tests.support.limits import within
from tests.support.nginx_fixture import plan, site
from tests.support.nginx_stand import certificate
from tests.support.plans import fixture_plan

pytestmark = pytest.mark.process

SAID = {
    "a named pipe": ("named pipe", "not an ordinary file", "no ordinary file", "pipe or socket"),
    "a link to a pipe": ("named pipe", "no ordinary file", "not an ordinary file", "link"),
    "a device": ("a device", "no ordinary file", "not an ordinary file", "link"),
    "a socket": ("a socket", "no ordinary file", "not an ordinary file", "pipe or socket"),
    "a sparse file of 10 GB": ("larger than", "unpacks to more than", "larger file"),
}
INPUTS = (
    "Procfile",
    "prodgen.yaml",
    ".env",
    "sites/common_site_config.json",
    "sites/site1.local/site_config.json",
    "config/redis_cache.conf",
    "config/redis_queue.conf",
    "apps/frappe/frappe/__init__.py",
)


def chain_of_a_site(place: Path, kind: str) -> str:
    _, key = certificate(place.parent, "one.test")
    return faults_of([(str(put(kind, place)), key)])[str(place), key]


def key_of_a_site(place: Path, kind: str) -> str:
    chain, _ = certificate(place.parent, "one.test")
    return faults_of([(chain, str(put(kind, place)))])[chain, str(place)]


def certificate_for_doctor(place: Path, kind: str) -> str:
    pair = (str(put(kind, place)), str(place.parent / "key"))
    (found,) = check_certificates(plan(site("one.test", certificate=pair)), 0)
    return found.text


def manifest_of_an_output(place: Path, kind: str) -> str:
    put(kind, place.parent / "out/manifest.json")
    with pytest.raises(BadArchive) as found:
        read_output(place.parent / "out")
    return str(found.value)


def file_of_an_output(place: Path, kind: str) -> str:
    put(kind, place.parent / "out/x")
    (place.parent / "out/manifest.json").write_text("{}")
    with pytest.raises(BadArchive) as found:
        read_output(place.parent / "out")
    return str(found.value)


def archive_to_verify(place: Path, kind: str) -> str:
    with pytest.raises((BadArchive, OSError)) as found:
        read_output(put(kind, place))
    return str(found.value)


def archive_to_apply(place: Path, kind: str) -> str:
    with pytest.raises((NotRendered, OSError)) as found:
        read_rendered(put(kind, place))
    return str(found.value)


def review(place: Path, kind: str) -> str:
    with pytest.raises(Stopped) as found:
        check_review(put(kind, place), Comparison({}, {}))
    return found.value.found[0].message


def config_of_supervisor(place: Path, kind: str) -> str:
    with pytest.raises(DeployError) as found:
        find_server(put(kind, place))
    return str(found.value)


def config_that_others_installed(place: Path, kind: str) -> str:
    """nginx itself would hang on it, and so would `nginx -t`."""
    put(kind, place.parent / "etc/nginx/conf.d/frappe-bench.conf")
    with pytest.raises((OSError, DeployError), match="nginx/conf") as found:
        list(takeover._files(place.parent, "nginx", load_places("nginx").searched))
    return str(found.value)


def linked_config_of_a_bench(place: Path, kind: str) -> str:
    """As bench sets it up: root's link to a file that the bench's user writes."""
    config = put(kind, place.parent / "bench/config/nginx.conf")
    link = place.parent / "etc/nginx/conf.d/frappe-bench.conf"
    link.parent.mkdir(parents=True)
    link.symlink_to(config)
    with pytest.raises((OSError, DeployError), match="nginx/conf") as found:
        list(takeover._files(place.parent, "nginx", load_places("nginx").searched))
    return str(found.value)


def template(place: Path, kind: str) -> str:
    put(kind, place.parent / "own/nginx/site.conf")
    _, found = read_templates(place.parent / "own")
    return found[0].message


def named_file(place: Path, kind: str) -> str:
    with pytest.raises(OSError, match="place") as found:
        read_named(put(kind, place))
    return str(found.value)


def installed_file(place: Path, kind: str) -> str:
    with pytest.raises(OSError, match="place") as found:
        read_file(put(kind, place))
    return str(found.value)


READERS: tuple[Callable[[Path, str], str], ...] = (
    chain_of_a_site,
    key_of_a_site,
    certificate_for_doctor,
    manifest_of_an_output,
    file_of_an_output,
    archive_to_verify,
    archive_to_apply,
    review,
    config_of_supervisor,
    config_that_others_installed,
    linked_config_of_a_bench,
    template,
    named_file,
    installed_file,
)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("reader", READERS, ids=lambda one: one.__name__)
def test_it_is_said_at_once(reader: Callable[[Path, str], str], kind: str, ground: Path) -> None:
    with within(5):
        said = reader(ground / "place", kind)
    assert any(words in said for words in SAID[kind]), said


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", INPUTS)
def test_inputs_of_a_bench(name: str, kind: str, tmp_path: Path) -> None:
    """Each is one message at its place, and the others are read."""
    bench = copy_bench(tmp_path / "bench")
    put(kind, bench / name)
    with within():
        files, found = read_bench(bench)
    told = [one for one in found if one.location and one.location.file == name]
    assert len(told) == 1
    assert told[0].code in ("PG002", "PG004")
    assert any(words in told[0].message for words in SAID[kind]), told
    assert files.procfile or name == "Procfile"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["sites", "sites/assets", "config", "apps", "env", "sites/x.test"])
def test_folders_of_a_bench(name: str, kind: str, tmp_path: Path) -> None:
    """Something else in the place of a folder is nothing to wait for."""
    bench = copy_bench(tmp_path / "bench")
    if (bench / name).is_dir():
        (bench / name).rename(tmp_path / "taken")
    put(kind, bench / name)
    with within():
        files, _ = read_bench(bench)
    assert files.procfile


@pytest.mark.parametrize("kind", KINDS)
def test_the_log_of_a_service_that_failed(kind: str, tmp_path: Path) -> None:
    log = put(kind, tmp_path / "web.log")
    plan = fixture_plan("frappe-16")
    one = Process(
        name="web",
        service=plan.services[0],
        state=State.FAILED,
        word="failed",
        logs=(log,),
    )
    with within():
        lines = list(health.last_words(one, plan))
    assert len(lines) == ("sparse" in kind)


def test_a_masked_unit_is_nothing_to_read(tmp_path: Path) -> None:
    """systemd's own way to switch a unit off is a link to /dev/null."""
    units = tmp_path / "etc/systemd/system"
    units.mkdir(parents=True)
    (units / "old.service").symlink_to("/dev/null")
    (units / "gone.service").symlink_to("/nowhere")
    (units / "one.service").write_text("[Service]\n")
    units_of_systemd = load_places("systemd").searched
    found = [str(path) for path, _ in takeover._files(tmp_path, "systemd", units_of_systemd)]
    assert found == [str(PurePosixPath("/etc/systemd/system/one.service"))]
