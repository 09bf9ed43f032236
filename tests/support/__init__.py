"""Helpers of the tests: fakes of what a host has, so that each branch is reached at once."""
