"""What plugins bring: found through entry points, checked, loaded. No torch."""
