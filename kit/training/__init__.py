"""What every task's fit shares: arguments, adapters, checkpoints, measuring."""
