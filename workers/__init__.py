"""What happens without anybody asking: sending, asking, reminding, noticing. One file a duty."""
