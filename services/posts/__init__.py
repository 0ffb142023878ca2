"""Posts: publishing, editing, deleting, and loading those that a viewer may see."""
