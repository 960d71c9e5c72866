"""The notes as code: names, activations, costs, the network, its forward pass and backpropagation.

NumPy and the standard library only. Everything faster elsewhere is tested against this room.
"""
