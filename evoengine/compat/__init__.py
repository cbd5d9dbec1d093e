"""Problems written for OpenEvolve, ShinkaEvolve and CodeEvolve, run as they are.

`Task.found` recognises a folder, `Mapped.of` reads what its settings come to here, `problem_class` makes a problem of
it, and `write_problem` writes that problem down. `Checkpoint.found` reads what such an engine kept of a run. Loaded
only where a folder is recognised.
"""

from evoengine.compat.checkpoints import Checkpoint, Past
from evoengine.compat.foreign import Foreign, problem_class
from evoengine.compat.importing import write_problem
from evoengine.compat.mapping import Mapped
from evoengine.compat.tasks import Task

__all__ = ["Checkpoint", "Foreign", "Mapped", "Past", "Task", "problem_class", "write_problem"]
