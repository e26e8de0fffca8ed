"""Records of registers (a directory, an asset manager) beside the assets of the network.

``record`` is what a register says of one machine; ``keeping`` writes it; ``scoring`` says, purely, how well a
record and an asset go together, and ``matching`` decides; ``telling`` makes evidence of what a matched record
says, and ``settling`` classifies the assets anew that it concerns; ``comparing`` shows what one side has and
the other has not.
"""
