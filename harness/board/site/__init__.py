"""The published tables as a static site: pages that sort, filter and compare without a server."""
