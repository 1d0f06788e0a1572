"""The filters of the workbench, one module per noun."""
