"""Trackers that run in a process of their own: Python classes, TraX trackers, pytracking and pysot checkouts."""
