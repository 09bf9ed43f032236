"""The review of an adoption is short, and nothing that is lost or felt is left out of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from prodgen.review.adopt.core.model import AdoptedSetting, Adoption, Disposition
from prodgen.review.adopt.text import WIDTH, as_long_text, as_text
from prodgen.review.core.redact import Mask
from tests.review.adopt.test_adopt import HERE, adopted_nginx, adopted_programs

NGINX, PROGRAMS = "/etc/nginx/conf.d/erp.conf", "/etc/supervisor/conf.d/erp.conf"


def found(name: str) -> dict[str, Adoption]:
    folder = Path(HERE, name)
    return {
        NGINX: adopted_nginx((folder / "nginx.conf").read_text(), "one.test"),
        PROGRAMS: adopted_programs((folder / "supervisor.conf").read_text()),
    }


@pytest.mark.parametrize("name", ["by-bench", "by-hand", "by-certbot"])
def test_it_fits_a_terminal(name: str) -> None:
    lines = list(as_text(found(name), [NGINX, PROGRAMS], Mask()))
    assert max(map(len, lines)) <= WIDTH
    assert len(lines) < 50
    text = "\n".join(lines)
    for adoption in found(name).values():
        for one in (*adoption.of(Disposition.OPEN), *adoption.of(Disposition.MOVED)):
            assert one.text[:40] in text


def test_only_what_can_be_noticed_is_shown_of_benchs_own() -> None:
    lines = list(as_text(found("by-bench"), [NGINX, PROGRAMS], Mask()))
    text = "\n".join(lines)
    assert "  keepalive_timeout: 15 -> 65" in lines
    assert "  logs: /home/frappe/frappe-bench/logs -> /var/log/frappe-bench" in lines
    assert any(line.startswith("  stopwaitsecs: 40 -> 300, ") for line in lines)
    for word in ("gzip", "proxy_buffer", "priority", "startretries", "location"):
        assert word not in text, word
    assert "-v" in lines[-1]
    whole = "\n".join(as_long_text(found("by-bench"), [NGINX, PROGRAMS], Mask()))
    for word in ("gzip_types", "proxy_buffers 4 256k", "priority=4", "location /assets"):
        assert word in whole, word


def test_files_stand_below_their_folders_with_their_numbers() -> None:
    drop_in = "/etc/systemd/system/x.service.d/a.conf"
    lost = Adoption((AdoptedSetting(Disposition.OPEN, "systemd", "x", "Nice=1", "a note"),))
    lines = list(as_text({drop_in: lost}, ["/etc/systemd/system/x.service", drop_in], Mask()))
    assert lines[1:4] == [
        "  /etc/systemd/system/",
        "    x.service: 0 settings",
        "    x.service.d/a.conf: 1 settings, 1 not kept",
    ]
