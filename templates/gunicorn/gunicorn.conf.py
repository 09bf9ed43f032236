# Gunicorn settings of the bench {{ it.bench }}, made by prodgen: change the bench, not this file.
# The address is not here: the process manager holds the socket and hands it over.

import os
import signal
import sys

from gunicorn.app.base import Application
{% if it.misses_ends %}
from gunicorn.errors import HaltServer
{% endif %}
from gunicorn.systemd import sd_notify

# Gunicorn puts its folder first among those that modules come from (gunicorn/app/base.py). That is
# sites/, which the application writes to, and what it writes there must never be run.
sys.path[:] = [place for place in sys.path if os.path.realpath(place) != os.getcwd()]
Application.chdir = lambda app: os.chdir(app.cfg.chdir)

workers = {{ it.workers }}
{% if it.threads > 1 %}
worker_class = "gthread"
threads = {{ it.threads }}
{% endif %}
preload_app = {{ it.preload }}

# A request may take `timeout` seconds, also while its worker is told to end.
timeout = {{ it.timeout }}
graceful_timeout = {{ it.graceful_timeout }}

max_requests = {{ it.max_requests }}
max_requests_jitter = {{ it.max_requests_jitter }}

# The heartbeat file is touched all the time: keep it off the disk.
worker_tmp_dir = "/dev/shm"

# Only nginx on this machine may say what the client's scheme was.
forwarded_allow_ips = "{{ it.proxies }}"
{% if it.has_control_socket %}

# Its place would be shared by every bench of this user.
control_socket_disable = True
{% endif %}


# systemd waits for the word that all is up. Gunicorn says it before any worker has loaded the
# application, so it must not know where to; a worker that is ready says it below.
notify_socket = os.environ.pop("NOTIFY_SOCKET", None)
ENDS = {signal.SIGTERM, signal.SIGINT, signal.SIGQUIT}


# The log tells it too, for a restart of one instance after the other.
def post_worker_init(worker):
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDS)
    worker.log.info("Worker ready (master: %s)", worker.ppid)
    if notify_socket:
        os.environ["NOTIFY_SOCKET"] = notify_socket
        sd_notify("READY=1\nSTATUS=The application is loaded", worker.log, unset_environment=True)


# Gunicorn may wait in vain for the end of workers, for all of `graceful_timeout`.
def on_starting(server):
    # A worker that is just made would lose the signal that ends it: it has the master's handlers
    # for a moment, and those only note it. So the signal waits until the worker is ready.
    spawn = server.spawn_worker

    def spawn_deaf():
        before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDS)
        try:
            return spawn()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    server.spawn_worker = spawn_deaf
{% if it.misses_ends %}

    # Where several workers fail at once, Gunicorn before 24 looks at one of them and no more.
    reap = server.reap_workers

    def reap_all():
        try:
            reap()
        except HaltServer:
            reap_all()
            raise

    server.reap_workers = reap_all
{% endif %}
