"""What neural models are made of: layers, losses, the loop that trains them. The one part that imports torch; it knows
no model by name.

`train.py` is the loop and `recipe.py` its settings. `checkpoint.py` is what it takes to go on after a stop,
`identity.py` what tells one training from another; `stopping.py`, `processes.py` and `threads.py` are signals, torchrun
and threads. `bag.py` and `output.py` are the two ends of a network over a whole catalogue, `autoencoder.py` the
networks between; `reconstruction.py`, `composite_prior.py`, `profiled.py` and `copying.py` say how these are trained.
"""
