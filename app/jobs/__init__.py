"""What one elected worker of a host does beside its requests: sample, roll up, judge, prune."""
