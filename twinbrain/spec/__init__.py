"""Declarations: frozen, validated, serialisable, and named by a digest."""
