"""The company's policy: what of a finding each caller is shown, what is looked for besides, and what stays."""
