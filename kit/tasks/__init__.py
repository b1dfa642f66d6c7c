"""What differs by task: one folder each, looked up by the task's kind."""
