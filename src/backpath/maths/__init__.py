"""The notes as code: names, activations, costs, the network, its forward pass and backpropagation.

It needs only NumPy and the standard library. All faster code is tested against it.
"""
