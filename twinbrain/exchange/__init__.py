"""Exchange of models with other programs: NIR and SONATA."""
