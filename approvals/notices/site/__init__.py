"""The public site beyond the notices themselves: policies, self-check, results, announcements, feed and map."""
