"""Pictures of several pictures, as bytes: letters, contact sheets, sprites. No file, no process."""
