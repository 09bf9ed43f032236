"""A bench as its files describe it: parsed, checked, and still knowing where each value stood."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from prodgen.diagnostics import Diagnostic, Severity, error, has_errors, warning
from prodgen.inputs.core.file_kinds import COMMON, SITE, FileKind
from prodgen.inputs.core.source import Source
from prodgen.inputs.core.values import Values
from prodgen.inputs.frappe_version import version_in_package, version_in_states
from prodgen.inputs.json.parser import parse_json
from prodgen.inputs.layers import declared_site, declared_urls, laid_over
from prodgen.inputs.procfile.parser import Procfile, parse_procfile
from prodgen.inputs.reader import BenchFiles, SiteFolder
from prodgen.inputs.redis_conf import RedisConf, parse_redis_conf
from prodgen.inputs.schema import check as schema
from prodgen.provenance import Sourced

if TYPE_CHECKING:
    from prodgen.inputs.env.honcho_env import Variable


class SiteInput(NamedTuple):
    """One site: the name of its folder and its own settings."""

    name: str
    config: Values


class Bench(NamedTuple):
    """Everything that the files of a bench say about how it runs."""

    procfile: Procfile
    common: Values
    settings: Values
    sites: tuple[SiteInput, ...] = ()
    redis_confs: Mapping[str, RedisConf] = {}
    frappe_version: Sourced[str] | None = None
    packages: Mapping[str, str] = {}
    has_python_realtime: bool = False
    dotenv: tuple[Variable, ...] = ()
    """What `.env` sets. The values are secret."""
    env_file_read: bool = False
    """Whether the file of `env_file` was there, and could be checked."""


def parse_bench(
    files: BenchFiles, environment: str | None = None
) -> tuple[Bench | None, list[Diagnostic]]:
    """The bench, or None where an error stands among the diagnostics.

    `environment` is one of those in prodgen.yaml.
    """
    found: list[Diagnostic] = []
    procfile = Procfile(())
    if files.procfile:
        procfile, faults = parse_procfile(files.procfile)
        found += faults
    elif "Procfile" not in files.unread:
        found.append(_no_procfile(files))
    common = _values(files.common, COMMON, found)
    settings = _settings(files, environment, found)
    common = laid_over(common, declared_urls(settings))
    on_disk = {folder.name: _site(folder, found) for folder in files.sites}
    reads_dotenv = files.dotenv is not None and _reads_dotenv(settings)
    variables = _dotenv(files.dotenv, found, is_read=reads_dotenv)
    bench = Bench(
        procfile,
        common,
        settings,
        tuple(_merged_sites(on_disk, settings)),
        {name: parse_redis_conf(source) for name, source in files.redis_confs.items()},
        _frappe_version(files, found),
        files.packages,
        files.has_python_realtime,
        variables,
        reads_dotenv,
    )
    return (bench if files.procfile and not has_errors(found) else None), found


def _no_procfile(files: BenchFiles) -> Diagnostic:
    way_out = (
        "`bench setup procfile` writes one"
        if files.common
        else "run prodgen in a bench, or name it with -C"
    )
    return error("PG100", f"no Procfile in {files.root}", None, way_out)


def _values(source: Source | None, kind: FileKind, found: list[Diagnostic]) -> Values:
    """The checked values of a file; what is wrong with it is added to `found`."""
    if source is None:
        return Values()
    document, faults = parse_json(source, kind)
    found += faults
    if document is None:
        return Values()
    faults = schema.check(document, kind.schema)
    found += [*faults, *schema.near_misses(document, kind.schema)]
    if faults:
        return Values()
    return Values(document, schema.normalise(document, kind.schema))


def _settings(files: BenchFiles, environment: str | None, found: list[Diagnostic]) -> Values:
    if files.settings is None:
        if environment is not None:
            message = f"there is no prodgen.yaml, and so no environment `{environment}`"
            found.append(error("PG406", message, None, "`prodgen init` writes one"))
        return Values()
    from prodgen.inputs.settings import parse_settings  # with YAML, which few benches need

    settings, faults = parse_settings(files.settings, environment)
    found += faults
    return settings


def _reads_dotenv(settings: Values) -> bool:
    """Whether the services read `.env` themselves, in a narrower format than Honcho's."""
    given = settings.text("env_file")
    return given is not None and given.value == ".env"


def _dotenv(
    source: Source | None, found: list[Diagnostic], *, is_read: bool
) -> tuple[Variable, ...]:
    if source is None:
        return ()
    if is_read:
        from prodgen.inputs.env.secrets_file import parse_env_file

        found += parse_env_file(source)[1]
        return ()
    from prodgen.inputs.env.honcho_env import parse_dotenv  # few benches have such a file

    variables, faults = parse_dotenv(source)
    found += faults
    return variables


def _site(folder: SiteFolder, found: list[Diagnostic]) -> SiteInput | None:
    """The site, or None where its file is broken: that site is left out, the others stay."""
    if folder.config is None:
        return None
    faults: list[Diagnostic] = []
    config = _values(folder.config, SITE, faults)
    if not faults:
        return SiteInput(folder.name, config)
    found += [_as_left_out(fault, folder.name) for fault in faults]
    return None if has_errors(faults) else SiteInput(folder.name, config)


def _as_left_out(fault: Diagnostic, site: str) -> Diagnostic:
    if fault.severity is not Severity.ERROR:
        return fault
    way_out = f"{fault.help}; until then the site {site} is left out".removeprefix("; ")
    return warning(fault.code, fault.message, fault.location, way_out, fault.related)


def _merged_sites(on_disk: Mapping[str, SiteInput | None], settings: Values) -> Iterator[SiteInput]:
    """The sites by name: those with a folder, those that prodgen.yaml declares, and both.

    One whose own file is broken stays left out, whatever is declared for it.
    """
    declared = settings.table("sites")
    for name in sorted({*on_disk, *declared}):
        own = on_disk[name] if name in on_disk else SiteInput(name, Values())
        if own and name in declared:
            yield SiteInput(name, laid_over(own.config, declared_site(settings, name)))
        elif own:
            yield own


def _frappe_version(files: BenchFiles, found: list[Diagnostic]) -> Sourced[str] | None:
    own = version_in_package(files.frappe_init)
    if own:
        return own
    noted, faults = version_in_states(files.apps)
    found += faults
    return noted
