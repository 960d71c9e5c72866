"""The parameters that both estimators share."""

from __future__ import annotations

from typing import Any

from sklearn.base import BaseEstimator


class Hyperparameters(BaseEstimator):  # type: ignore[misc] # scikit-learn has no types
    """The parameters of a fit; `parameters` validates them, and the estimators' docstrings describe them."""

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        *,
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: Any = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: Any = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        dropout: Any = 0.0,
        clip_norm: float | None = None,
        bayesian: bool = False,
        restarts: int = 1,
        callbacks: Any = None,
        progress: Any = False,
        engine: str = "auto",
        scale_X: bool = False,
        n_layers: int | None = None,
        n_units: int | None = None,
        warm_up: int = 0,
        scoring: Any = None,
        time_limit: float | None = None,
        n_networks: int = 1,
        checkpoint: Any = None,
        every: Any = None,
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.dropout = dropout
        self.clip_norm = clip_norm
        self.bayesian = bayesian
        self.restarts = restarts
        self.callbacks = callbacks
        self.progress = progress
        self.engine = engine
        self.scale_X = scale_X
        self.n_layers = n_layers
        self.n_units = n_units
        self.warm_up = warm_up
        self.scoring = scoring
        self.time_limit = time_limit
        self.n_networks = n_networks
        self.checkpoint = checkpoint
        self.every = every
