"""The administrator's tables of what Butler does by itself.

Versions are looked at here, approved, taken into use and stopped; what they say comes from
files. Messages, decisions and runs are only looked at, and without the words that were said.
"""

from butler.admin import automations, messages, pause_switches, runs, topics, versions

__all__ = ["automations", "messages", "pause_switches", "runs", "topics", "versions"]
