"""Many networks of the same sizes at once: how often a task is learned from a random start, and why."""

from backpath.population.memory import memory_needed as memory_needed
from backpath.population.networks import Population as Population
from backpath.population.population_outcome import PopulationOutcome as PopulationOutcome
from backpath.population.study import train_population as train_population
