"""What customers do by themselves: withdraw, change their address, share, choose notifications."""
