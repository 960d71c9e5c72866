"""Reads tables and models, and writes models and predictions."""
