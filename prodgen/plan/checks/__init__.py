"""Warnings about a plan: capacity, queues that nobody serves, certificates."""
