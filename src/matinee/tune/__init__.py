"""Search for hyper-parameters under a budget, and grids of runs."""
