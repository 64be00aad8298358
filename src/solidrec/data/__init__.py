"""Interaction logs and catalogues: from files of any tidy shape to one prepared folder that training maps into memory."""
