"""Recorded populations: neurons, history, couplings and what drives them, fitted together.

Contents
--------
fit_population, FittedPopulation, Schedule, OvercoupledWarning
    The fit of a :class:`neurocode.PopulationExperiment` and its result.
evaluate_population, PopulationEvaluation
    Scores on held-out repeats.
FrontEnd, LinearFrontEnd, SubunitFrontEnd, SeparableFilters, TimeFrontEnd
    What turns a stimulus into the drive of each cell.
"""

from neurocode.inference.population.climb import Schedule
from neurocode.inference.population.evaluation import PopulationEvaluation, evaluate_population
from neurocode.inference.population.fit import OvercoupledWarning, fit_population
from neurocode.inference.population.front_end import FrontEnd
from neurocode.inference.population.linear_front_end import LinearFrontEnd, SeparableFilters
from neurocode.inference.population.result import FittedPopulation
from neurocode.inference.population.subunit_front_end import SubunitFrontEnd
from neurocode.inference.population.time_front_end import TimeFrontEnd

__all__ = [
    "FittedPopulation",
    "FrontEnd",
    "LinearFrontEnd",
    "OvercoupledWarning",
    "PopulationEvaluation",
    "Schedule",
    "SeparableFilters",
    "SubunitFrontEnd",
    "TimeFrontEnd",
    "evaluate_population",
    "fit_population",
]
