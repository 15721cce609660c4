"""What the air means: index and standards, transfer between cities, ranking of sources, evaluation, attainment."""
