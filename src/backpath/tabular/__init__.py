"""Tables: the network that fits one, a linear model beside it, and how good both are."""
