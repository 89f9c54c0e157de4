"""Metrics sinks: where the record of every call goes."""
