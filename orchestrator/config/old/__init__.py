"""The configuration of MetalLB v0.9 to v0.12: one text in a ConfigMap, converted on reading."""
