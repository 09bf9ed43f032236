"""The stack at a glance: what the picture shows, in Mermaid and in SVG."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest

from prodgen.plan.core.model import Plan
from prodgen.plan.views.diagram import MOST_SITES, WIDEST, picture
from prodgen.plan.views.mermaid import as_mermaid
from prodgen.plan.views.svg import as_svg
from tests.support.command import prodgen
from tests.support.plans import ROOT, bench_files, fixture_plan, make_plan

SVG = "{http://www.w3.org/2000/svg}"
STRANGE = '\t"><script>x</script>&#35;`|]\u202e;\n%%'


@pytest.fixture(scope="module")
def plan() -> Plan:
    return fixture_plan("frappe-16")


def texts(svg: str) -> list[str]:
    return [one.text or "" for one in ET.fromstring(svg).iter(f"{SVG}text")]


def test_it_shows_each_service_with_counts_ports_and_stop_times(plan: Plan) -> None:
    boxes = {box.head: box.lines for box in picture(plan).boxes}
    assert list(boxes)[:3] == ["Sites", "nginx", "frappe-web × 2"]
    assert boxes["frappe-web × 2"] == (
        "Gunicorn, 5 workers each",
        "127.0.0.1:8000",
        "ends within 300 s",
    )
    assert boxes["frappe-email-worker × 2"] == ("email", "ends within 690 s")
    assert len(boxes) == len(plan.services) + 2


def test_arrows_say_who_asks_whom(plan: Plan) -> None:
    heads = {box.key: box.head.split()[0] for box in picture(plan).boxes}
    arrows = {(heads[source], heads[target]) for source, target in picture(plan).arrows}
    assert {
        ("Sites", "nginx"),
        ("nginx", "frappe-web"),
        ("nginx", "node-socketio"),
        ("frappe-web", "redis-cache"),
        ("frappe-email-worker", "redis-queue"),
    } <= arrows


def test_both_formats_have_every_box_and_arrow(plan: Plan) -> None:
    drawn = picture(plan, {"nginx": "reload"})
    flowchart, svg = as_mermaid(drawn), as_svg(drawn)
    assert flowchart.count(" --> ") == len(drawn.arrows)
    assert svg.count("marker-end") == len(drawn.arrows)
    for box in drawn.boxes:
        assert box.head in flowchart
        assert {box.head, *box.lines} <= set(texts(svg))
    assert "class n1 changed" in flowchart
    assert svg.count('stroke-width="3"') == 1
    assert "reload" in texts(svg)


def test_text_stays_in_its_box_and_boxes_apart(plan: Plan) -> None:
    root = ET.fromstring(as_svg(picture(plan)))
    frames = [
        tuple(float(one.get(name, "0")) for name in ("x", "y", "width", "height"))
        for one in root.iter(f"{SVG}rect")
    ]
    page, *boxes = frames
    for x, y, width, height in boxes:
        assert x + width < page[2]
        assert y + height < page[3]
        inside = [box for box in boxes if x <= box[0] < x + width and y <= box[1] < y + height]
        assert len(inside) == 1
    for text in list(root.iter(f"{SVG}text"))[1:]:
        x, y = float(text.get("x", "0")), float(text.get("y", "0"))
        [box] = [
            one for one in boxes if one[0] < x < one[0] + one[2] and one[1] < y < sum(one[1::2])
        ]
        assert x + len(text.text or "") * 7.6 <= box[0] + box[2]


def test_a_name_breaks_no_picture() -> None:
    sites: dict[str, dict[str, object]] = {
        f"site{number}.example": {} for number in range(MOST_SITES + 3)
    }
    plan = make_plan(
        bench_files(f"web: bench serve\nodd: ./odd '{STRANGE.strip()}'\n", sites=sites)
    )
    drawn = picture(plan)
    assert "and 3 more" in {line for box in drawn.boxes for line in box.lines}
    assert all(len(line) <= WIDEST for box in drawn.boxes for line in (box.head, *box.lines))
    assert "<script" not in as_svg(drawn)
    labels = re.findall(r'^  n\d+\["(.*)"\]$', as_mermaid(drawn), re.MULTILINE)
    assert len(labels) == len(drawn.boxes)
    assert not any(
        re.search(r'["|;`]|<(?!/?(b|br|i)>)', re.sub(r"#\d+;", "", one)) for one in labels
    )


def test_a_bench_without_a_web_tier_has_a_picture_too() -> None:
    drawn = picture(make_plan(bench_files("schedule: bench schedule\n")))
    assert [box.head for box in drawn.boxes] == ["frappe-schedule"]
    assert texts(as_svg(drawn))[0].startswith("frappe-bench, under Supervisor")


@pytest.mark.process
def test_the_command_prints_them() -> None:
    assert prodgen("plan", "--format", "mermaid").out.startswith("flowchart LR\n")
    assert texts(prodgen("plan", "--format", "svg").out)[0] == "frappe-bench, under Supervisor"


def test_the_picture_in_the_docs_is_real(plan: Plan, request: pytest.FixtureRequest) -> None:
    path = ROOT / "docs/stack.svg"
    svg = as_svg(picture(plan))
    if request.config.getoption("--update-golden"):
        path.write_text(svg, "utf-8")
    assert path.read_text("utf-8") == svg
