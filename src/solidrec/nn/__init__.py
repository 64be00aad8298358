"""The models: backbones, heads, generated weights, and the sources they come from. Nothing here sees a file or a metric."""
