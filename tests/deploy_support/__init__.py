"""What the checks of the manifests share: rendering, the workloads in them, the edges of their policies."""
