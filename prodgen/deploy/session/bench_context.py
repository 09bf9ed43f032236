"""What the deploy rooms need to know of a bench beyond its plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from prodgen.deploy.queue import rq
from prodgen.deploy.queue.redis_client import Access
from prodgen.host.door import NOWHERE, Door
from prodgen.host.run_as import Identity
from prodgen.inputs.core.values import Values
from prodgen.plan.core.defaults import QUEUE_TIMEOUTS, version_of
from prodgen.plan.core.model import Plan, Role

PREFIXED_QUEUES = (14,)
"""The first Frappe whose queues bear the bench's name."""


@dataclass(frozen=True)
class BenchContext:
    """One bench: its plan, and how its jobs are found."""

    plan: Plan
    door: Door = NOWHERE
    """The bench's folder on this host."""
    access: Access | None = None
    """None where the bench names no redis_queue that can be asked."""
    bench_id: str = ""
    """Begins the names of its queues; empty for Frappe 13."""
    max_queued: int | None = None
    flags: Mapping[str, bool] = field(default_factory=dict)
    """Switches of common_site_config.json, as far as they are set."""

    @property
    def frappe(self) -> tuple[int, ...]:
        """Frappe's version; empty where nobody knows it."""
        known = self.plan.versions.get("frappe")
        return version_of(known.value) if known else ()

    @property
    def queue_names(self) -> list[str]:
        """Every queue that Frappe or a pool knows, without the bench's name."""
        pools = self.plan.with_role(Role.WORKER)
        own = [queue.name for service in pools for queue in service.queues.value]
        return list(dict.fromkeys([*QUEUE_TIMEOUTS, *own]))

    @property
    def folders(self) -> list[str]:
        """The folders of its sites."""
        return [site.folder.value for site in self.plan.sites]


FLAGS = (
    "developer_mode",
    "maintenance_mode",
    "restart_supervisor_on_update",
    "restart_systemd_on_update",
)


def context_of(plan: Plan, door: Door, common: Values) -> BenchContext:
    """The bench of a plan and of its common_site_config.json."""
    url = common.text("redis_queue")
    sentinel = common.flag("redis_queue_sentinel_enabled")
    version = plan.versions.get("frappe")
    figures = version_of(version.value) if version else ()
    configured = common.text("bench_id")
    name = rq.bench_id(plan.bench.value, configured.value if configured else None)
    limit = common.integer("max_queued_jobs")
    usable = url is not None and not (sentinel and sentinel.value)
    return BenchContext(
        plan=plan,
        door=door,
        access=_access(common, url.value, name, door.reader) if url and usable else None,
        bench_id=name if not figures or figures >= PREFIXED_QUEUES else "",
        max_queued=rq.queued_limit(
            figures[0] if figures else 0,
            len(plan.sites),
            limit.value if limit else None,
        ),
        flags={key: flag.value for key in FLAGS if (flag := common.flag(key))},
    )


def _access(common: Values, url: str, name: str, reader: Identity | None) -> Access:
    wanted = common.flag("use_rq_auth")
    password = common.text("rq_password")
    if not (wanted and wanted.value and password):
        return Access(url, reader=reader)
    user = common.text("rq_username")
    return Access(url, user.value if user else name, password.value, reader)
