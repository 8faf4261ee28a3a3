"""Whether published numbers hold: verified, reproduced, admitted, followed night by night."""
