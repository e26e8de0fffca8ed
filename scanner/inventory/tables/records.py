"""Records of other registers: what a directory or an asset manager says that there is."""
