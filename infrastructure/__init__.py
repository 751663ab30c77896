"""Adapters: one module or package per technology."""
