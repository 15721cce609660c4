"""What a run leaves behind: groups of result.nc, provenance, the table of variables, NetCDF."""
