"""From interaction logs and catalogues to one prepared folder that training maps into memory."""
