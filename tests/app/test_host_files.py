"""The file of the whole host: rendered and listed, and left to root's own hand."""

from __future__ import annotations

from pathlib import Path

from prodgen.app.host_files import host_notes
from prodgen.review.core.file_sets import file_set_of
from prodgen.targets.core.artifacts import HOST_FILES
from prodgen.targets.manifest import listed_files, make_manifest, owned_files
from prodgen.targets.nginx.render import TARGET
from tests.support.nginx_fixture import plan, site


def test_it_is_rendered_and_no_bench_s_to_install(tmp_path: Path) -> None:
    made, _ = TARGET.render(plan(site("one.test"), default_server=True))
    [host] = [one for one in made if one.destination in HOST_FILES]
    assert host.destination not in file_set_of(made)
    manifest = make_manifest(made, "bench", "1", {}).content
    assert host.path in owned_files(manifest)
    assert host.destination not in {one.destination for one in listed_files(manifest)}
    place = tmp_path / host.destination.relative_to("/")
    place.parent.mkdir(parents=True)
    assert [one.code for one in host_notes(made, tmp_path)] == ["PG814"]
    place.write_text("other")
    assert [one.code for one in host_notes(made, tmp_path)] == ["PG814"]
    place.write_bytes(host.content)
    assert host_notes(made, tmp_path) == []
