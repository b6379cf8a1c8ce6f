"""The administration pages of automations, messages, decisions and topics.

Staff approve, activate and retire versions here, but change their texts in files. Messages,
decisions and runs are read-only, and the pages do not show the text of messages.
"""

from butler.admin import automations, messages, pause_switches, runs, topics, versions

__all__ = ["automations", "messages", "pause_switches", "runs", "topics", "versions"]
