"""What a call would do, in the terms a person decides by (protocols/keboola-tools.md §4)."""
