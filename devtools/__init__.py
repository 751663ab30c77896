"""Development tools: AWS on one machine, test footage, and checks of the repository."""
