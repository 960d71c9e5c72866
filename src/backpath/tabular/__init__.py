"""Tables: chooses a network and a linear model, and evaluates both."""
