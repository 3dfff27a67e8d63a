"""Benchmark of truths: estimators of mutual information against distributions of known one."""
