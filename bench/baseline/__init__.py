"""The baseline: a simple implementation with Django and DRF, without optimization.

It uses a ModelViewSet, the ORM, get_or_create and select_for_update, one row at a time and one
transaction for each event. It stores less than Butler (no claims, no merges, no quarantine), with
the same durability. It is a fair comparison: it has pooled connections and the needed indexes, and
DEBUG is off.
"""
