"""What operators see of a running process: its metrics, its slow queries."""
