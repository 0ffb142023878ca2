"""The parts of `bench.feed_query`: a world, the variants, the load, the report."""
