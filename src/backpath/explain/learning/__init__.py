"""Why a network whose gradients are right does not learn."""
