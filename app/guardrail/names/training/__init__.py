"""Trains a model that finds names, on texts made here: `clearance guard train-names`."""
