"""Tests of prodgen.plan.core."""
