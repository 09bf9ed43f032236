"""What the version before has left on a host and in outputs is read by this one.

The fixtures were made by that version itself (tests/support/versions/former_state.py).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import pytest

from prodgen.app.bench_selection import Selection
from prodgen.app.complete_output import make_complete, texts_of
from prodgen.app.diff import DiffOptions, compare
from prodgen.app.pipeline import plan_bench, render_targets
from prodgen.app.review import Comparison, Stopped, read_artifacts
from prodgen.app.saved_review import check_review
from prodgen.app.write_output import write_output
from prodgen.deploy.apply.apply import End, Job, apply, recover_interrupted
from prodgen.deploy.apply.history import former_artifacts, numbers, replaced_files
from prodgen.deploy.apply.installed import look
from prodgen.deploy.apply.journal import read_journal
from prodgen.deploy.core.errors import DeployError
from prodgen.deploy.output.archives import unpack as unpack_archive
from prodgen.deploy.output.reader import read_output
from prodgen.deploy.session.bench_context import BenchContext
from prodgen.diagnostics import has_errors
from prodgen.review.changes.change_source import ValueChange
from prodgen.review.changes.output_folder import Verb
from prodgen.review.changes.verification import parse_manifest, verify
from prodgen.targets.core.artifacts import Artifact
from prodgen.targets.manifest import PATH, NewerFormat, make_manifest
from tests.support.reviewed import plan_with
from tests.support.versions.former_state import AFTER, BEFORE, FOLDER, change, copy_sample, unpack

STATE = PurePosixPath("/var/lib/prodgen/frappe-bench")
COMMON = "sites/common_site_config.json"
OUTPUT = FOLDER / "output.tar.gz"
Contents = dict[str, bytes]


def state_of(root: Path) -> Path:
    return root / STATE.relative_to("/")


def job(root: Path, artifacts: list[Artifact] | None = None) -> Job:
    return Job(
        BenchContext(plan_with()),
        artifacts or [],
        state_of(root),
        lambda _event: None,
        root=root,
        activates=False,
    )


def installed(root: Path) -> Contents:
    """Everything below /etc, leftovers too."""
    found = (path for path in sorted((root / "etc").rglob("*")) if path.is_file())
    return {str(path.relative_to(root)): path.read_bytes() for path in found}


def kept(root: Path, number: int) -> Contents:
    """What one of the generations had installed."""
    folder = state_of(root) / "generations" / str(number)
    listed = json.loads((folder / PATH).read_bytes())["files"]
    return {
        one["destination"].lstrip("/"): (folder / one["path"]).read_bytes()
        for one in listed
        if one["destination"].startswith("/")
    }


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """A host on which the version before has applied twice."""
    return unpack("applied", tmp_path / "host")


def test_its_manifest_and_generations_are_read(host: Path) -> None:
    found = look(host, STATE, {})
    assert len(found.listed) == len(found.side) == 3
    assert found.drift == ()
    assert numbers(state_of(host)) == [1, 2]
    assert kept(host, 2) == installed(host) != kept(host, 1)


@pytest.mark.parametrize("phase", ["staging", "replacing", "activating"])
def test_its_interrupted_apply_is_undone_or_ended(phase: str, tmp_path: Path) -> None:
    root = unpack(phase, tmp_path / "host")
    before = kept(root, 1)
    after = before | _wanted(root)
    assert before != after
    recover_interrupted(job(root))
    assert installed(root) == (after if phase == "activating" else before)
    assert read_journal(state_of(root)) is None
    assert numbers(state_of(root)) == ([1, 2] if phase == "activating" else [1])
    assert look(root, STATE, {}).drift == ()


def _wanted(root: Path) -> Contents:
    """What the interrupted apply was about to install."""
    folder = state_of(root) / "generations/next"
    path = "etc/prodgen/frappe-bench/gunicorn.conf.py"
    return {path: (folder / "gunicorn/gunicorn.conf.py").read_bytes()}


def test_a_rollback_right_after_the_upgrade_brings_back_its_bytes(host: Path) -> None:
    before = kept(host, 1)
    assert apply(job(host, former_artifacts(state_of(host)))).end is End.DONE
    assert installed(host) == before


def test_a_rollback_across_the_upgrade_brings_back_its_bytes(host: Path) -> None:
    before = installed(host)
    made = [one for one in read_artifacts(OUTPUT).artifacts if one.path != PATH]
    new = [one._replace(text=f"{one.text}# new\n") for one in made]
    new.append(make_manifest(new, "frappe-bench", "99", {}))
    assert apply(job(host, new)).end is End.DONE
    assert installed(host) != before
    again = job(host, former_artifacts(state_of(host)))
    again.restores = replaced_files(state_of(host))
    assert apply(again).end is End.DONE
    assert installed(host) == before


def test_its_output_is_read_verified_and_replaced(tmp_path: Path) -> None:
    assert read_artifacts(OUTPUT).bench == "frappe-bench"
    output = read_output(OUTPUT)
    assert list(verify(parse_manifest(output.manifest), output.files)) == []
    folder = tmp_path / "output"
    for path, content in (unpack_archive(OUTPUT.read_bytes()) or {}).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    bench = copy_sample(tmp_path / "frappe-bench")
    planned = plan_bench(Selection(bench), locked=True, programs=())
    written = write_output(str(folder), render_targets(planned, ["supervisor"]), planned)
    assert written.found == ()
    assert (Verb.REMOVE, f"{folder}/nginx/frappe-bench.conf") in written.changes


def sides(root: Path) -> Comparison:
    return compare(DiffOptions(rendered=OUTPUT, root=root), lambda _outcome: False)


def test_its_review_is_read(host: Path, tmp_path: Path) -> None:
    review = FOLDER / "review.json"
    reviewed = unpack("staging", tmp_path / "reviewed")
    check_review(review, sides(reviewed))
    with pytest.raises(Stopped) as stopped:
        check_review(review, sides(host))
    assert [one.code for one in stopped.value.found] == ["PG807"]


def of_bench(bench: Path, root: Path) -> Comparison:
    options = DiffOptions(Selection(bench), root=root, locked=True)
    return compare(options, lambda outcome: has_errors(outcome.diagnostics))


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The bench that the version before has applied; what reads it is a version later."""
    monkeypatch.setattr("prodgen.app.complete_output.__version__", "99")
    bench = copy_sample(tmp_path / "frappe-bench")
    change(bench)
    return bench


def test_the_first_diff_of_an_unchanged_bench_blames_prodgen(host: Path, bench: Path) -> None:
    source = of_bench(bench, host).source
    assert source is not None
    assert (source.old, source.new, source.files, source.values) == ("0.1.0", "99", (), ())


def test_the_first_diff_of_a_changed_bench_names_its_files(host: Path, bench: Path) -> None:
    (bench / COMMON).write_text((bench / COMMON).read_text().replace(AFTER, BEFORE))
    source = of_bench(bench, host).source
    assert source is not None
    assert (source.files, source.values) == ((COMMON,), ())


def test_a_later_diff_of_a_changed_bench_names_its_values(
    host: Path, bench: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = plan_bench(Selection(bench), locked=True, programs=())
    artifacts = make_complete(render_targets(planned, ["supervisor", "gunicorn"]), planned)
    job_now = job(host, artifacts)
    job_now.inputs = texts_of(planned)
    assert apply(job_now).end is End.DONE
    (bench / COMMON).write_text((bench / COMMON).read_text().replace(AFTER, BEFORE))
    assert of_bench(bench, host).source is None
    monkeypatch.setattr("prodgen.app.complete_output.__version__", "100")
    source = of_bench(bench, host).source
    assert source is not None
    assert source.values == (ValueChange(COMMON, "gunicorn_workers", "6", "9"),)


def raise_format(path: Path) -> None:
    """As a prodgen to come might write it."""
    data = json.loads(path.read_bytes()) | {"format_version": 2}
    path.write_text(json.dumps(data))


def of_host(root: Path) -> None:
    raise_format(state_of(root) / PATH)
    look(root, STATE, {})


def of_generation(root: Path) -> None:
    raise_format(state_of(root) / "generations/2" / PATH)
    former_artifacts(state_of(root))


def of_journal(root: Path) -> None:
    path = unpack("replacing", root / "killed")
    before = installed(path)
    raise_format(state_of(path) / "pending/journal.json")
    try:
        recover_interrupted(job(path))
    finally:
        assert installed(path) == before


def of_review(root: Path) -> None:
    review = root / "review.json"
    review.write_bytes((FOLDER / "review.json").read_bytes())
    raise_format(review)
    check_review(review, sides(root))


def of_diff(root: Path) -> None:
    raise_format(state_of(root) / PATH)
    sides(root)


def newer_output(root: Path) -> Path:
    folder = root / "output"
    folder.mkdir()
    content = (unpack_archive(OUTPUT.read_bytes()) or {})[PATH]
    (folder / PATH).write_bytes(content)
    raise_format(folder / PATH)
    return folder


def of_output(root: Path) -> None:
    read_artifacts(newer_output(root))


@pytest.mark.parametrize(
    "read", [of_host, of_generation, of_journal, of_review, of_diff, of_output]
)
def test_a_newer_format_is_refused(read: Callable[[Path], None], host: Path) -> None:
    with pytest.raises((DeployError, Stopped)) as refused:
        read(host)
    assert isinstance(refused.value, DeployError | Stopped)
    [found] = refused.value.found
    assert found.code == "PG815"
    assert "was written by a newer prodgen: it has format 2" in found.message


def test_a_newer_output_is_neither_verified_nor_replaced(tmp_path: Path) -> None:
    folder = newer_output(tmp_path)
    before = (folder / PATH).read_bytes()
    with pytest.raises(NewerFormat):
        parse_manifest(before)
    planned = plan_bench(
        Selection(copy_sample(tmp_path / "frappe-bench")), locked=True, programs=()
    )
    written = write_output(str(folder), render_targets(planned, ["nginx"]), planned)
    assert [one.code for one in written.found] == ["PG815"]
    assert (folder / PATH).read_bytes() == before
