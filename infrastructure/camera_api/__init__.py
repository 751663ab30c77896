"""The camera API: its HTTP client, its answers, and the names of recordings in them."""
