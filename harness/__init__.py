"""Running trackers over sequences and keeping what they gave."""
