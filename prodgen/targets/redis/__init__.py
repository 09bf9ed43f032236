"""The target `redis`: redis.conf, if prodgen manages it."""
