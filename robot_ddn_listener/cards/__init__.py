"""How render.py shows an answer: the card, its words, its markup, its looks."""
