"""Photos and papers that customers send: checked by what they are, bared of what they would tell."""
