"""What was read of each input, as text whose digest may be published.

A digest of a whole file could be tried out: whoever knows a site_config.json but for a short
password finds that too. So what prodgen does not read is left out, and what it reads of secrets
is masked. Neither has a say in any artifact.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from prodgen.inputs.bench import Bench
from prodgen.inputs.bench_files import BenchFiles
from prodgen.inputs.core.file_kinds import COMMON, SITE, FileKind
from prodgen.inputs.core.source import Source
from prodgen.inputs.redact.patterns import mask
from prodgen.inputs.redis_conf import parse_redis_conf
from prodgen.inputs.schema.check import load_schema


def fingerprints(files: BenchFiles, bench: Bench) -> dict[str, str]:
    """The texts by the file's path in the bench; the order of keys makes no difference."""
    return {name: mask(text) for name, text in _texts(files, bench)}


def _texts(files: BenchFiles, bench: Bench) -> Iterator[tuple[str, str]]:
    for source in (files.procfile, files.frappe_init, files.apps):
        if source:
            yield source.name, source.text
    if files.settings and bench.settings.document:
        yield "prodgen.yaml", _canonical(bench.settings.document.data)
    if files.common:
        yield from _known(files.common, COMMON)
    for site in files.sites:
        if site.config:
            yield from _known(site.config, SITE)
    for source in files.redis_confs.values():
        conf = parse_redis_conf(source)
        yield source.name, _canonical([conf.port, conf.unix_socket])


def _known(source: Source, kind: FileKind) -> Iterator[tuple[str, str]]:
    """The keys that prodgen knows; nothing where the file is broken and so was left out."""
    known = load_schema(kind.schema)["properties"]
    try:
        content = json.loads(source.text)
    except (ValueError, RecursionError):
        return
    if isinstance(content, dict):
        yield source.name, _canonical({key: content[key] for key in content if key in known})


def _canonical(data: object) -> str:
    return json.dumps(data, sort_keys=True, default=str)
