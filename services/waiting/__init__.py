"""Promises that workers have not kept yet, as operators deal with them."""
