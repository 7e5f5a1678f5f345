"""Functions composed from native ops: their shapes, gradients and second gradients follow from the ops they use.

One file a family; ``lamina.tensor`` makes methods of them and ``lamina`` exports them. Nothing here computes by itself.
"""
