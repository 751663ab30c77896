"""What each version of the service has written durably, and what the present one writes."""
