"""How good retrieval is: datasets with questions and their answers, measures, baselines, a report."""
