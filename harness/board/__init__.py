"""Tables made of records alone: joining, ranking, layout, Markdown, terminal, JSON, publishing."""
