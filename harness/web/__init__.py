"""Pages of this machine's browser: labelling a video, and watching trackers at work."""
