#!/usr/bin/env python
import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    # Nobody waits for a command as they wait for a page: a migration may take its time.
    os.environ.setdefault("STATEMENT_TIMEOUT", "0")
    if sys.argv[1:2] == ["verify_receipt"]:
        # Whoever holds a receipt may have nothing else of ours.
        os.environ.setdefault("BUTLER_CHECK", "1")
    execute_from_command_line(sys.argv)
