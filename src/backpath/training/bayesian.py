"""Bayesian regularisation: weight decay that is found from the data during training.

Training lowers β Σ e² + α Σ w². MacKay's evidence for α and β is highest where

    2 α Σ w² = γ,   2 β Σ e² = n - γ,   γ = Σ_i β λ_i / (β λ_i + α) = p - 2 α tr(H⁻¹)

with λ the eigenvalues of Jᵀ J, H = 2 (β Jᵀ J + α I), n residuals and p weights. γ is the number of weights that the
data determine. Levenberg-Marquardt computes Jᵀ J in each epoch, so α and β are re-estimated there (Foresee and Hagan).

Sources: MacKay, Bayesian interpolation, Neural Computation 4 (1992); Foresee and Hagan, Gauss-Newton approximation to
Bayesian learning, ICNN 1997, which MATLAB's ``trainbr`` follows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from backpath.maths.arrays import Floats


@dataclass(frozen=True)
class Bayesian:
    """The result of Bayesian regularisation.

    Attributes
    ----------
    alpha : float
        α: training minimised β Σ e² + α Σ w², over all samples, outputs and free weights, including biases.
    beta : float
        β of the same sum.
    gamma : float
        The effective number of parameters, from 0 to ``parameters``.
    parameters : int
        The number of free weights.
    evidence : float
        ln p(y | α, β) at the best w, which compares starts and sizes of networks.
    """

    alpha: float
    beta: float
    gamma: float
    parameters: int
    evidence: float = -math.inf

    @classmethod
    def estimated(cls, gamma: float, parameters: int, residuals: float, E: float, w: Floats) -> Bayesian:
        """α and β for γ; E = Σ e². If they have no finite value they are 1, as in ``trainbr``."""
        left, squares = residuals - gamma, float(w @ w)
        alpha = gamma / (2 * squares) if squares > 0 else 1.0
        beta = left / (2 * E) if left > 0 and E > 0 else 1.0
        return cls(alpha, beta, gamma, parameters)

    def again(self, JJ: Floats, residuals: float, E: float, w: Floats) -> Bayesian:
        """Re-estimated for the Jacobian J, from γ with these α and β."""
        strength = np.maximum(np.linalg.eigvalsh(JJ), 0)  # rounding can make a zero negative
        gamma = float((strength / (strength + self.decay)).sum()) if self.decay > 0 else float(self.parameters)
        found = self.estimated(gamma, self.parameters, residuals, E, w)
        return replace(found, evidence=found._evidence(strength, residuals, E, w))

    def _evidence(self, strength: Floats, residuals: float, E: float, w: Floats) -> float:
        """-β E - α Σ w² - ½ ln |H| + p/2 ln 2α + n/2 ln(β / π): Laplace's approximation of the integral of
        e^-(β E + α Σ w²) over w, divided by the two normalising constants."""
        p, n = len(strength), residuals
        if not (self.alpha > 0 and self.beta > 0):
            return -math.inf
        curvature = float(np.log(2 * (self.beta * strength + self.alpha)).sum())
        fits = self.beta * E + self.alpha * float(w @ w)
        return -fits - curvature / 2 + p / 2 * math.log(2 * self.alpha) + n / 2 * math.log(self.beta / math.pi)

    @property
    def decay(self) -> float:
        """α/β, which determines a step."""
        return self.alpha / self.beta
