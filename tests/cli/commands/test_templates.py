"""A user's own templates: copied, compared, rendered in a sandbox, and faults with their place."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from prodgen.app.reports.layout import Layout
from prodgen.app.reports.text import report
from prodgen.deploy.output.user_templates import NOTE, copy_templates, read_templates
from prodgen.diagnostics import Diagnostic, Severity
from prodgen.inputs.core.source import Source
from prodgen.targets.core.templating import BadTemplate, shipped_templates, using
from prodgen.targets.manifest import digest
from prodgen.targets.registry import MODULES, load_target
from tests.support.command import Done, copy_bench, prodgen, tree
from tests.support.plans import FIXTURES, fixture_plan

CONF = "supervisor/bench.conf"
BENCH = FIXTURES / "frappe-16/frappe-bench"


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A folder with a copy of Supervisor's template."""
    folder = tmp_path / "own"
    assert copy_templates(folder, {CONF: shipped_templates()[CONF]}) == []
    return folder


def supervisor(own: Path, *more: str) -> Done:
    return prodgen("render", "-q", "-t", "supervisor", "--templates", own, *more, cwd=BENCH)


def age(own: Path, change: Callable[[str], str]) -> None:
    """Has the copy come from an older prodgen, whose template was another."""
    text = change(shipped_templates()[CONF])
    for path in (own / CONF, own / ".prodgen" / CONF):
        path.write_text(text)
    note = json.loads((own / NOTE).read_text())
    note["copies"][CONF] = {"prodgen": "0.0.1", "sha256": digest(text.encode())}
    (own / NOTE).write_text(json.dumps(note))


def test_list_names_every_template() -> None:
    assert prodgen("templates", "list").out.split() == list(shipped_templates())
    assert prodgen("templates", "list", "-t", "supervisor").out == f"{CONF}\n"
    assert prodgen("templates", "list", "-t", "supervisr").code == 64


def test_copies_render_what_the_originals_do(tmp_path: Path) -> None:
    done = prodgen("templates", "copy", "all", cwd=tmp_path)
    assert (done.code, done.out) == (0, "")
    assert len(done.err.splitlines()) == len(shipped_templates())
    plan = fixture_plan("frappe-16")
    sources, found = read_templates(tmp_path / "all")
    assert found == []
    for target in MODULES:
        with using(sources.sources):
            copied = load_target(target).render(plan)
        assert copied == load_target(target).render(plan)


def test_copy_replaces_nothing(own: Path) -> None:
    (own / CONF).write_text("mine")
    before = tree(own)
    done = prodgen("templates", "copy", own)
    assert done.code == 1
    assert done.err.count("error[PG744]") == 1
    assert CONF in done.err
    assert tree(own) == before


def test_one_file_takes_the_place_of_ours(own: Path) -> None:
    with (own / CONF).open("a") as template:
        template.write("; {{ it.bench }}\n")
    done = supervisor(own)
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[-1] == "; frappe-bench"


def test_an_included_file_can_be_ones_own_too(tmp_path: Path) -> None:
    (tmp_path / "nginx").mkdir()
    (tmp_path / "nginx/acme.conf").write_text('    # mine\n{% include "nginx/more.conf" %}\n')
    (tmp_path / "nginx/more.conf").write_text("    # more of mine\n")
    done = prodgen("render", "-t", "nginx", "--templates", tmp_path, cwd=BENCH)
    assert "    # mine\n    # more of mine\n" in done.out
    assert "PG742" not in done.err


def test_the_manifest_names_the_template_that_was_used(own: Path, tmp_path: Path) -> None:
    bench = copy_bench(tmp_path / "frappe-bench")
    digests = []
    for change in ("", "; mine\n"):
        with (own / CONF).open("a") as template:
            template.write(change)
        options = ("-t", "supervisor", "--templates", own, "-o", "out")
        assert prodgen("render", "-q", *options, cwd=bench).code == 0
        digests.append(json.loads((bench / "out/manifest.json").read_text())["templates"])
    assert digests[0] == {
        name: digest(text.encode())
        for name, text in shipped_templates().items()
        if name.startswith(("supervisor/", "gunicorn/"))
    }
    assert digests[1] == digests[0] | {CONF: digest((own / CONF).read_bytes())}


def test_diff_shows_what_the_user_changed(own: Path) -> None:
    assert prodgen("templates", "diff", own).out == ""
    (own / CONF).write_text((own / CONF).read_text().replace("autostart=true", "autostart=false"))
    done = prodgen("templates", "diff", own)
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0] == f"# {CONF}: what you changed"
    assert [line for line in lines[3:] if line[0] in "+-"] == [
        "-autostart=true",
        "+autostart=false",
    ]


def test_after_an_upgrade_both_sides_are_shown(own: Path) -> None:
    age(own, lambda text: text.replace("numprocs=", "instances="))
    (own / CONF).write_text((own / CONF).read_text().replace("autostart=true", "autostart=false"))
    done = prodgen("templates", "diff", own)
    assert "warning[PG743]" in done.err
    assert "made from version 0.0.1" in done.err
    ours, yours = done.out.split(f"# {CONF}: what you changed\n")
    assert ours.startswith(f"# {CONF}: what prodgen changed since your copy\n")
    assert "\n-instances={{ program.instances }}\n+numprocs={{" in ours
    assert "autostart=false" not in ours
    assert "\n-autostart=true\n+autostart=false\n" in yours
    assert "\n+numprocs" not in yours


def test_a_copy_of_an_older_template_warns_until_accepted(own: Path) -> None:
    age(own, lambda text: f"; old\n{text}")
    done = supervisor(own)
    assert (done.code, done.out.splitlines()[0]) == (0, "; old")
    assert "PG743" in prodgen("validate", "--templates", own, cwd=BENCH).err
    assert prodgen("templates", "accept", own).code == 0
    assert "PG743" not in prodgen("validate", "--templates", own, cwd=BENCH).err
    assert "-; old" not in prodgen("templates", "diff", own).out
    assert "+; old" in prodgen("templates", "diff", own).out


@pytest.mark.parametrize("loss", ["note", "original", "both", "foreign"])
def test_without_the_original_yours_is_shown_against_ours(loss: str, own: Path) -> None:
    if loss in ("note", "both"):
        (own / NOTE).unlink()
    if loss in ("original", "both"):
        (own / ".prodgen" / CONF).unlink()
    if loss == "foreign":
        (own / NOTE).write_text('{"format_version": 1, "copies": {"../../x": {}}}')
    (own / CONF).write_text("mine\n")
    done = prodgen("templates", "diff", own)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"# {CONF}: yours against prodgen's\n")


def found_in(own: Path) -> list[tuple[str, str, str]]:
    return [(one.code, one.severity.value, one.help) for one in read_templates(own)[1]]


def test_a_name_that_nobody_asks_for(own: Path) -> None:
    (own / "supervisor/bench.cnf").write_text("x")
    (own / "other").mkdir()
    (own / "other/x").write_text("x")
    (own / ".git").mkdir()
    (own / ".git/config").write_text("x")
    assert found_in(own) == [
        ("PG742", "warning", "`prodgen templates list` shows the names"),
        ("PG742", "warning", f"did you mean `{CONF}`?"),
    ]


@pytest.mark.parametrize("folder", [True, False])
def test_a_link_is_refused(folder: bool, own: Path) -> None:
    name = "nginx" if folder else "supervisor/host.conf"
    (own / name).symlink_to(own / "supervisor" if folder else "/etc/passwd")
    assert {code for code, _, _ in found_in(own)} == {"PG741"}
    assert supervisor(own).code == 1


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for name, words in (("absent", "does not exist"), ("file", "is no folder")):
        done = supervisor(tmp_path / name)
        assert (done.code, done.out) == (1, "")
        assert f"error[PG741]: {tmp_path / name} {words}" in done.err
        assert prodgen("templates", "diff", tmp_path / name).code == 1
        assert prodgen("templates", "accept", tmp_path / name).code == 1


def fault(text: str) -> Diagnostic:
    """What is wrong with a template of this text."""
    with pytest.raises(BadTemplate) as caught, using({CONF: Source("bench.conf", text)}):
        load_target("supervisor").render(fixture_plan("frappe-16"))
    assert caught.value.found.severity is Severity.ERROR
    return caught.value.found


FAULTS = {
    "{{ it.bensh }}": ("there is no `bensh` here; did you mean `bench`?", "bensh"),
    "{{ foo }}": ("there is no `foo`; what prodgen knows is in `it`", "foo"),
    "{{ it.bench | upcase }}": ("no filter named 'upcase'", "upcase"),
    "{% fo x in it %}": ("encountered unknown tag 'fo'", "fo"),
    "{% if it.bench %}": ("unexpected end of template", "if"),
    "{{ it.bench + 1 }}": ("TypeError: can only concatenate", "{{ it.bench + 1 }}"),
    "{{ 1 // 0 }}": ("ZeroDivisionError", "{{ 1 // 0 }}"),
    '{% include "nginx/benhc.conf" %}': (
        "there is no template `nginx/benhc.conf`; did you mean `nginx/bench.conf`?",
        "nginx/benhc.conf",
    ),
    f'{{% include "{CONF}" %}}': ("the template includes itself without end", None),
}


@pytest.mark.parametrize("line", FAULTS)
def test_a_fault_is_shown_where_it_stands(line: str) -> None:
    message, word = FAULTS[line]
    found = fault(f"; one\n; two\n  {line}\n")
    assert found.code == "PG740"
    assert message in found.message
    place = found.location
    assert place
    assert (place.file, place.line) == ("bench.conf", 3)
    marked = place.text[place.column - 1 : place.column - 1 + place.length]
    assert marked == (word or line)


def test_the_value_at_hand_is_shown() -> None:
    assert "here it.bench is 'frappe-bench'; " in fault("{{ it.bench + 1 }}").help
    found = fault("{% for one in it.programs %}\n{{ one.usr }}\n{% endfor %}")
    assert "did you mean `user`?" in found.message
    assert "here one.name is 'frappe-bench-redis-cache'; " in found.help
    assert "--> bench.conf:2:8" in report([found], Layout())


def test_a_fault_in_an_included_file_is_shown_there() -> None:
    own = {
        CONF: Source("bench.conf", '; one\n{% include "supervisor/two" %}\n'),
        "supervisor/two": Source("two", "; x\n; y\n{{ it.no }}\n"),
    }
    with pytest.raises(BadTemplate) as caught, using(own):
        load_target("supervisor").render(fixture_plan("frappe-16"))
    assert str(caught.value.found.location) == "two:3:7"


@pytest.mark.parametrize(
    "trick",
    [
        "{{ it.__class__ }}",
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ self.__init__.__globals__ }}",
        "{{ '{0.__class__}'.format(it) }}",
        "{{ it | attr('__class__') }}",
        "{{ range.__self__ }}",
        "{{ namespace.__init__.__globals__ }}",
        "{{ it.programs.append(1) }}",
        "{{ it.programs | random }}",
        "{{ lipsum.__globals__ }}",
        "{{ range(10 ** 9) | list }}",
        '{% include "../../../../../../etc/passwd" %}',
        '{% include "/etc/passwd" %}',
        '{% import "os" as os %}',
    ],
)
def test_the_sandbox_holds(trick: str) -> None:
    assert fault(trick).code == "PG740"


def test_what_is_not_utf8_is_located(own: Path) -> None:
    (own / CONF).write_bytes(b"; one\n; \xff\n")
    done = supervisor(own)
    assert (done.code, done.out) == (1, "")
    assert f"{own / CONF}:2:3" in done.err
    assert "0xff is not UTF-8" in done.err


def test_a_relative_folder_is_named_as_the_user_knows_it(own: Path) -> None:
    (own / CONF).write_text("{{ it.bensh }}")
    done = prodgen("render", "-C", BENCH, "--templates", "own", cwd=own.parent)
    assert f"--> {own / CONF}:1:7" in done.err


def test_a_fault_stops_the_output(own: Path, tmp_path: Path) -> None:
    (own / CONF).write_text("{{ it.bensh }}")
    assert supervisor(own, "-o", str(tmp_path / "out")).code == 1
    assert not (tmp_path / "out").exists()
    assert json.loads(prodgen("validate", "--templates", own, "--format", "json", cwd=BENCH).out)[
        "error_count"
    ]
