# First step: `env_file` names files of root's, and of other benches.
. "$(dirname "$0")/lib.sh"
cp "$BENCH/prodgen.yaml" "$HOME/attack.yaml"
for file in /etc/shadow "$VAULT/secret" "$VAULT/open/key" /proc/1/environ "$BENCH/link.env" /dev/zero; do
    ln -sf "$VAULT/open/key" "$BENCH/link.env"
    settings env_file "\"$file\""
    root render -t all -C "$BENCH"
    root doctor -C "$BENCH"
    grep -q '"manager": "systemd"' "$BENCH/prodgen.yaml" && root apply --yes -C "$BENCH"
    cp "$HOME/attack.yaml" "$BENCH/prodgen.yaml"
done
