"""The package for AWS Lambda, its template, and how they get there."""
