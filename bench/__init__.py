"""What Parlour costs, measured: `make bench`. README.md here says how and what the numbers mean."""
