"""The raw public files that researchers of this field use: what they look like, who reads them, what was published of them."""
