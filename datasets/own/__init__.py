"""Videos of one's own: folders of them, and what annotation tools write."""
