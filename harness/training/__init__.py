"""Training: pairs, objectives, schedules, the loop, and the ablation runner."""
