"""The notes as code: names, activations, costs, the network, its forward pass and back-propagation.

NumPy and the standard library only. Everything faster elsewhere is tested against this room.
"""
