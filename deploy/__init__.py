"""The package for AWS Lambda, its template, and its deployment."""
