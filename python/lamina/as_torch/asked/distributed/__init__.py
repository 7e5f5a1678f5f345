"""``torch.distributed``'s modules about which libraries only ask. The package itself is `lamina.distributed`."""
