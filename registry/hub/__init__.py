"""To and from the Hub: what is asked, fetched, checked, and sent."""
