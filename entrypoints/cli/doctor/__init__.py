"""`camclip doctor`: checks of the settings and the deployment."""
