"""Cross-validated scores at default parameters beside scikit-learn's, and its spread from seed to seed."""

import numpy as np
import pytest
import sklearn.neural_network as sk
from sklearn import datasets as d
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import backpath as bp

CLASSES = {
    "iris": d.load_iris(return_X_y=True),
    "wine": d.load_wine(return_X_y=True),
    "cancer": d.load_breast_cancer(return_X_y=True),
    "digits": d.load_digits(return_X_y=True),
    "moons": d.make_moons(300, noise=0.2, random_state=0),
    "circles": d.make_circles(300, noise=0.1, factor=0.5, random_state=0),
    "blobs": d.make_blobs(300, centers=5, cluster_std=2, random_state=0),
    "informative": d.make_classification(300, 20, n_informative=6, n_classes=3, random_state=0),
    "gaussian": d.make_gaussian_quantiles(n_samples=300, n_features=4, n_classes=3, random_state=0),
}
NUMBERS = {
    "diabetes": d.load_diabetes(return_X_y=True),
    "friedman1": d.make_friedman1(300, noise=1, random_state=0),
    "friedman2": d.make_friedman2(300, random_state=0),
    "friedman3": d.make_friedman3(300, random_state=0),
    "linear": d.make_regression(300, 8, noise=10, random_state=0),
    "low rank": d.make_regression(300, 20, effective_rank=5, noise=0.1, random_state=0),
}
SETS = {**{name: ("MLPClassifier", *data) for name, data in CLASSES.items()}}
SETS |= {name: ("MLPRegressor", X, (y - y.mean()) / y.std()) for name, (X, y) in NUMBERS.items()}
SEEDS = 5


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", SETS)
def test_as_good_as_scikit_learn_at_default_parameters(name):
    kind, X, y = SETS[name]

    def scores(module, first_seed):
        seeds = range(first_seed, first_seed + SEEDS)
        return [
            cross_val_score(make_pipeline(StandardScaler(), getattr(module, kind)(random_state=s)), X, y, cv=3).mean()
            for s in seeds
        ]

    theirs, ours = scores(sk, 0), scores(bp, 100)  # other seeds: the same would be the same networks
    spread = max(theirs) - min(theirs)
    assert np.mean(ours) >= np.mean(theirs) - max(spread, 0.003)
