"""What the page of a request offers its reader: actions, and the options of their forms."""
