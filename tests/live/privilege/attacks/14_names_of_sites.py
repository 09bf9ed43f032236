"""First step: names of sites and domains that would be a path, a directive or a command."""

import json
import os
import subprocess

HOME = os.environ["HOME"]
BENCH = f"{HOME}/frappe-bench"
NAMES = [
    "a\nb.test",
    "x;}",
    "$(id)",
    "`id`",
    "-h",
    "--config=x",
    "\x1b]0;x\x07",
    "a b",
    "'\"",
    "%n",
    "{{7*7}}",
    "é.test",
    "\u202e.test",
    "..x",
    "x" * 200,
    "*",
    "~^(?<x>.+)$",
    "\\",
    "one.test/..",
    "%(ENV_PATH)s",
]
for name in NAMES:
    try:
        os.makedirs(f"{BENCH}/sites/{name}", exist_ok=True)
        with open(f"{BENCH}/sites/{name}/site_config.json", "w") as file:
            json.dump(
                {
                    "db_name": "x",
                    "domains": [
                        name,
                        {
                            "domain": name,
                            "ssl_certificate": name,
                            "ssl_certificate_key": "/srv/vault/secret",
                        },
                    ],
                },
                file,
            )
    except OSError as failure:
        print(name, failure)
root = ["sudo", "-n", "/usr/local/sbin/root-does"]
for words in (["render", "-t", "nginx"], ["diff"], ["apply", "--yes"], ["status"]):
    subprocess.run([*root, *words, "-C", BENCH], timeout=120)
print(os.popen("nginx -t 2>&1").read()[-300:])
print(os.popen(f"sort -u {HOME}/loot 2>/dev/null").read().strip() or "nobody")
