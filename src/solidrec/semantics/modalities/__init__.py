"""Modalities encoded from the catalogue: titles and pictures become feature matrices."""
