"""The tables of the workbench, one module per noun."""
