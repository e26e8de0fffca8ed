"""How often the classification is right, undecided or wrong over real answers: ``docs/accuracy.md``.

``python -m tests.accuracy`` writes the page, ``--check`` compares it, ``--show`` lists what is not right
among the answers that may be looked at. What right, undecided and wrong mean is told in the page itself.
"""
