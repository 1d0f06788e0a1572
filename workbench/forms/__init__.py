"""The forms of the workbench, one module per noun."""
