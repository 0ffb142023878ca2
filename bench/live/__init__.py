"""What the proofs and measurements of live events share."""
