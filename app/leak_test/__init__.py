"""The owner's own kit behind `clearance leak-test`: plant, ask through every surface, judge, report, remove."""
