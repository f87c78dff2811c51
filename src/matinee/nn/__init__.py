"""What neural models are made of: layers, losses, the loop that trains them. The one part that imports torch; it knows
no model by name.

`train.py` is the loop and `recipe.py` its settings. `checkpoint.py` is what it takes to go on after a stop,
`identity.py` what tells one training from another; `stopping.py`, `processes.py`, `threads.py` and `freed_memory.py`
are signals, torchrun, threads and memory. `output.py` is the far end of any network over a whole catalogue.

Autoencoders: `bag.py` is the near end, `autoencoder.py` the networks between; `reconstruction.py`,
`composite_prior.py`, `profiled.py` and `copying.py` say how these are trained.

Histories in their order: `windows.py` cuts them and `windowed.py` has the settings; `item_starts.py` is where vectors
of items begin, `transformer.py` and `recurrent.py` are the networks. `next_item.py`, `session_parallel.py`,
`cloze.py` and `self_supervision.py` say how these are trained, `losses.py` and `negatives.py` are the sampled losses
and what they sample.
"""

import os

os.environ.setdefault("GOMP_SPINCOUNT", "3000")
"""How long a thread of torch looks for work before it sleeps; read once, as torch is loaded. By default milliseconds:
beside one other busy process each of a step's hundred operations then waits until the system takes a core away from the
wrong thread, and an epoch takes eight times as long. So short it takes twice as long there, and alone no longer."""
