"""Trust in published numbers: verified, reproduced, submitted, admitted, followed nightly."""
