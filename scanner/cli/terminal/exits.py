"""Exit codes.

==== ===================================================================================
0    done
1    done, with findings (only with ``--fail-on``); ``health``: a scan is late
2    the command line, the site file, the data or a line of the input is wrong
3    could not run
130  interrupted; everything so far is kept
==== ===================================================================================
"""

from __future__ import annotations

from typing import Final

DONE: Final = 0
FINDINGS: Final = 1
WRONG: Final = 2
FAILED: Final = 3
INTERRUPTED: Final = 130
