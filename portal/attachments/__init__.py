"""Photos and papers that customers send: validated, stored and served."""
