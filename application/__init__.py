"""The one use case and the ports it speaks through."""
