"""The GitLab template: its script, run as a runner does, with GitLab's notes behind real HTTP."""

from __future__ import annotations

import json
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from prodgen.review.report.markdown import MARK
from tests.ci.checkout import COMMON, Checkout, put_prodgen
from tests.support.command import Done, prodgen
from tests.support.plans import ROOT

TEMPLATE: dict[str, Any] = yaml.safe_load((ROOT / "ci/gitlab.yml").read_text("utf-8"))
JOB: dict[str, Any] = TEMPLATE["prodgen"]
NOTES = "/api/v4/projects/5/merge_requests/7/notes"
PAGE = 2


class GitLab(ThreadingHTTPServer):
    """The notes of one merge request (docs.gitlab.com, "Notes API"), two a page."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Notes)
        self.notes: list[dict[str, Any]] = []
        self.calls: list[str] = []


class Notes(BaseHTTPRequestHandler):
    """What the API answers."""

    server: GitLab

    def do_GET(self) -> None:
        page = int(parse_qs(urlsplit(self.path).query)["page"][0])
        start = (page - 1) * PAGE
        is_last = start + PAGE >= len(self.server.notes)
        self.answer(self.server.notes[start : start + PAGE], "" if is_last else str(page + 1))

    def do_POST(self) -> None:
        self.server.notes.append({"id": len(self.server.notes), "body": self.body()})
        self.answer({})

    def do_PUT(self) -> None:
        number = int(urlsplit(self.path).path.rpartition("/")[2])
        self.server.notes[number]["body"] = self.body()
        self.answer({})

    def body(self) -> str:
        sent = self.rfile.read(int(self.headers["Content-Length"])).decode()
        return parse_qs(sent, strict_parsing=True)["body"][0]

    def answer(self, data: object, next_page: str = "") -> None:
        self.server.calls.append(self.command)
        allowed = self.headers["PRIVATE-TOKEN"] == "a-token" and self.path.startswith(NOTES)
        self.send_response(200 if allowed else 401)
        self.send_header("X-Next-Page", next_page)
        self.end_headers()
        self.wfile.write(json.dumps(data).encode())

    def log_message(self, *arguments: object) -> None:
        """Nothing is said."""


@pytest.fixture
def gitlab() -> Iterator[GitLab]:
    with GitLab() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def run(checkout: Checkout, gitlab: GitLab, **variables: str) -> Done:
    """The script of the job, in the pipeline of a merge request."""
    env = {
        **JOB["variables"],
        "CI_API_V4_URL": f"http://127.0.0.1:{gitlab.server_port}/api/v4",
        "CI_PROJECT_ID": "5",
        "CI_MERGE_REQUEST_IID": "7",
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": checkout.base,
        "PRODGEN_TOKEN": "a-token",
        "PRODGEN_BENCH": checkout.bench,
        "TMPDIR": str(checkout.temporary),
        **variables,
    }
    programs = put_prodgen(checkout.temporary / "bin")
    return checkout.run("\n".join(JOB["script"]), env, programs)


def with_more_workers(checkout: Checkout) -> Checkout:
    checkout.edit(COMMON, '"gunicorn_workers": 9', '"gunicorn_workers": 12')
    checkout.check_out()
    return checkout


def test_a_change_is_rendered_and_noted(checkout: Checkout, gitlab: GitLab) -> None:
    done = run(with_more_workers(checkout), gitlab)
    assert done.code == 0, done.err
    [note] = gitlab.notes
    assert note["body"].startswith(f"{MARK}\n<!-- .  -->\n### frappe-bench\n")
    assert "-workers = 5\n+workers = 6\n" in note["body"]
    with tarfile.open(checkout.folder / JOB["artifacts"]["paths"][0]) as archive:
        assert "manifest.json" in archive.getnames()
    assert not list((checkout.folder / ".git").glob("worktrees/*"))


def test_the_note_is_updated_not_repeated(checkout: Checkout, gitlab: GitLab) -> None:
    """And nothing that a stranger put into the checkout runs with the token."""
    (checkout.origin / "json.py").write_text("raise SystemExit('taken over')\n")
    with_more_workers(checkout)
    bodies = [f"{MARK}\n<!-- other  -->\n", "Nice!", f"see {MARK}", f"{MARK}\r\n<!-- .  -->\r\nold"]
    gitlab.notes += [{"id": number, "body": body} for number, body in enumerate(bodies)]
    for _ in range(2):
        assert run(checkout, gitlab).code == 0
    assert gitlab.calls == ["GET", "GET", "PUT"] * 2
    assert [one["body"] for one in gitlab.notes[:3]] == bodies[:3]
    assert "+workers = 6" in gitlab.notes[3]["body"]


def test_no_change_is_not_worth_a_note(checkout: Checkout, gitlab: GitLab) -> None:
    checkout.check_out()
    assert run(checkout, gitlab).code == 0
    assert gitlab.calls == ["GET"]


def test_without_a_token_the_log_has_the_text(checkout: Checkout, gitlab: GitLab) -> None:
    done = run(with_more_workers(checkout), gitlab, PRODGEN_TOKEN="")
    assert (done.code, gitlab.calls) == (0, [])
    assert "+workers = 6" in done.out


def test_a_token_that_may_not_write_fails(checkout: Checkout, gitlab: GitLab) -> None:
    assert run(with_more_workers(checkout), gitlab, PRODGEN_TOKEN="wrong").code != 0


def test_a_fault_is_reported_at_its_line(tmp_path: Path, gitlab: GitLab) -> None:
    checkout = Checkout(tmp_path, "deploy/bench")
    checkout.edit("Procfile", "bench schedule", "bench worker --queue nobodys")
    checkout.check_out()
    done = run(checkout, gitlab)
    assert done.code == 1
    assert "error[PG610]" in done.err
    report = JOB["artifacts"]["reports"]["codequality"]
    found = json.loads((checkout.folder / report).read_text("utf-8"))
    [fault] = [one for one in found if one["severity"] == "major"]
    assert fault["check_name"] == "PG610"
    assert fault["location"]["path"] == "deploy/bench/Procfile"
    assert len({one["fingerprint"] for one in found}) == len(found)


@pytest.mark.parametrize("bench", ["my benches/b ench", "-bench"])
def test_a_bench_may_have_any_name(bench: str, tmp_path: Path, gitlab: GitLab) -> None:
    done = run(with_more_workers(Checkout(tmp_path, bench)), gitlab)
    assert done.code == 0, done.err
    assert gitlab.notes[0]["body"].splitlines()[1] == f"<!-- {bench}  -->"


def test_own_templates_are_rendered_and_compared(checkout: Checkout, gitlab: GitLab) -> None:
    own = checkout.origin / "my templates"
    assert prodgen("templates", "copy", "-t", "supervisor", own).code == 0
    conf = own / "supervisor/bench.conf"
    conf.write_text(conf.read_text().replace("[group:", "; ours\n[group:", 1))
    checkout.check_out()
    done = run(checkout, gitlab, PRODGEN_TEMPLATES=own.name)
    assert done.code == 0, done.err
    assert "+; ours" in gitlab.notes[0]["body"]
    checkout.base = checkout.git("rev-parse", "HEAD")
    assert run(checkout, gitlab, PRODGEN_TEMPLATES=own.name).code == 0
    assert "No change." in gitlab.notes[0]["body"]


def test_a_pipeline_of_a_branch_only_renders(checkout: Checkout, gitlab: GitLab) -> None:
    checkout.check_out()
    assert run(checkout, gitlab, CI_MERGE_REQUEST_IID="").code == 0
    assert gitlab.calls == []
