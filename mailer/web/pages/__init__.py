"""The pages, a module for each thing that a reader may want. What changes something is a POST; GET only shows."""
