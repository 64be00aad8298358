"""``solidrec check``: whether promises hold on a configuration."""
