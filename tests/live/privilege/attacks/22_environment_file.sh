# First step: `env_file` names files of root's, and of other benches.
. "$(dirname "$0")/lib.sh"
cp "$BENCH/prodgen.yaml" "$HOME/attack.yaml"
for file in /etc/shadow "$VAULT/secret" "$VAULT/open/key" /proc/1/environ "$BENCH/link.env" /dev/zero; do
    ln -sf "$VAULT/open/key" "$BENCH/link.env"
    settings env_file "\"$file\""
    root render -t all -C "$BENCH"
    root doctor -C "$BENCH"
    # What is in the bench the service reads itself, as the user.
    if grep -q '"manager": "systemd"' "$BENCH/prodgen.yaml" && [ "${file#"$BENCH"}" = "$file" ]; then
        root apply --yes -C "$BENCH"
    fi
    cp "$HOME/attack.yaml" "$BENCH/prodgen.yaml"
done
