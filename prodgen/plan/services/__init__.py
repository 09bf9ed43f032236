"""The services of each role: web, realtime, workers, Redis and others."""
