"""Sprints: personas and figures as they were at one time, and what changed since."""
