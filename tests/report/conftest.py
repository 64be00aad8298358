"""The finished experiment that these tests look at."""

from tests.measured import copied, measured_experiment, of, read_material

__all__ = ["copied", "measured_experiment", "of", "read_material"]
