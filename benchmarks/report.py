"""Results as a table for people and as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

from benchmarks.measure import Ratio, Sample, middle


class Row(NamedTuple):
    """One contender of one benchmark."""

    name: str
    samples: Sequence[Sample]


class Claim(NamedTuple):
    """What must hold: ours is at most `limit` times the other's."""

    what: str
    ratio: Ratio
    limit: float

    @property
    def holds(self) -> bool:
        """A limit of 1 is met where the spread includes it, since that is a draw."""
        return (self.ratio.least if self.limit == 1 else self.ratio.median) <= self.limit


class Result(NamedTuple):
    """What one benchmark found."""

    title: str
    rows: Sequence[Row]
    claims: Sequence[Claim]

    @property
    def holds(self) -> bool:
        return all(claim.holds for claim in self.claims)


def as_table(result: Result) -> str:
    """Markdown: medians of each contender with the spread, then each claim with its ratio."""
    lines = [
        f"### {result.title}",
        "",
        "| | wall, ms | CPU, ms | peak memory, MiB |",
        "| --- | ---: | ---: | ---: |",
        *(_row(row) for row in result.rows),
        "",
        "| ratio | median | spread | limit | |",
        "| --- | ---: | ---: | ---: | --- |",
        *(_claim(claim) for claim in result.claims),
        "",
    ]
    return "\n".join(lines)


def as_json(results: Sequence[Result]) -> str:
    """Every sample, in seconds and MiB, and every ratio."""
    data = {
        result.title: {
            "samples": {row.name: [one._asdict() for one in row.samples] for row in result.rows},
            "claims": [
                {
                    "what": claim.what,
                    "ratio": claim.ratio._asdict(),
                    "limit": claim.limit,
                    "holds": claim.holds,
                }
                for claim in result.claims
            ],
        }
        for result in results
    }
    return json.dumps({"format_version": 1, "results": data}, indent=1) + "\n"


def _row(row: Row) -> str:
    wall, cpu, memory = middle(row.samples)
    walls = [one.wall * 1000 for one in row.samples]
    return (
        f"| {row.name} | {wall * 1000:.0f} ({min(walls):.0f} to {max(walls):.0f}) "
        f"| {cpu * 1000:.0f} | {memory:.0f} |"
    )


def _claim(claim: Claim) -> str:
    found = claim.ratio
    return (
        f"| {claim.what} | {found.median:.2f} | {found.least:.2f} to {found.most:.2f} "
        f"| {claim.limit:g} | {'holds' if claim.holds else '**missed**'} |"
    )
