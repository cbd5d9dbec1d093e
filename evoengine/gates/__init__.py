"""What a child must pass before anything is paid for its evaluation."""
