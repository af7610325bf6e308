// Filters over the three protocols: hits, groups, ends, refusals.
mod filters;
