"""`prodgen schema`: the JSON Schemas, for an editor or a check of one's own."""

from __future__ import annotations

import json

import click

from prodgen.cli.core.options import NamedChoice
from prodgen.inputs.schema.check import load_schema, schema_names


@click.command("schema")
@click.argument("name", required=False, metavar="[NAME]", type=NamedChoice(schema_names()))
def command(*, name: str | None) -> int:
    """Print a JSON Schema (2020-12); without a name, list them.

    There is one for each file that prodgen reads, and for each JSON that it
    prints.
    """
    if name is None:
        for one in schema_names():
            click.echo(f"{one:<20} {load_schema(one)['title']}")
        return 0
    click.echo(json.dumps(load_schema(name), indent=2, ensure_ascii=False))
    return 0
