"""MLflow as a mirror of run folders: the folder is the truth, and what happens to the mirror happens to it alone."""
