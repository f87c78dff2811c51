"""What neural models are made of: layers, losses, the loop that trains them. The one part that imports torch; it knows
no model by name.

`train.py` is the loop, `checkpoint.py` what it takes to go on after a stop, `bag.py` and `output.py` the two ends of a
network over a whole catalogue, `autoencoder.py` the networks between them, `reconstruction.py`,
`composite_prior.py` and `copying.py` how these are trained.
"""
