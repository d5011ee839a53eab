"""The language of equations: text becomes a closed tree of numbers, names, operators and functions, or is refused."""
