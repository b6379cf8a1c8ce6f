"""The version of an afternoon: what one writes with Django and DRF before anything is measured.

A ModelViewSet, the ORM, get_or_create, select_for_update, one row at a time, one transaction an
event. It keeps less than Butler does (no claims, no merging, no quarantine) and is as
durable. Not a straw man: pooled connections, indexes on what is looked up, no debug.
"""
