"""How supervisord is asked."""
