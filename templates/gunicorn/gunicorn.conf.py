# Gunicorn settings of the bench {{ it.bench }}, made by prodgen: change the bench, not this file.
# The address is not here: the process manager holds the socket and hands it over.

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
forwarded_allow_ips = "127.0.0.1,::1"
{% if it.has_control_socket %}

# Its place would be shared by every bench of this user.
control_socket_disable = True
{% endif %}


# Says in the log that the application is loaded, for a restart of one instance after the other.
def post_worker_init(worker):
    worker.log.info("Worker ready (master: %s)", worker.ppid)
