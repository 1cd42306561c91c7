"""Behind `clearance leak-test`: plants canaries, asks as everybody on every surface, judges, reports and removes.

`http`, `canaries` and `results` are the engine. The route matrix of the tests (`tests/api/matrix/`) runs on it too,
with another cast, more requests and an oracle.
"""
