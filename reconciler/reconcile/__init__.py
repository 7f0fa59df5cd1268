"""One round of one target, and of several side by side: read, compare, explain, decide, guard; then apply."""
