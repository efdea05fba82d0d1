"""Entry point of `python -m orchestrator` and of the `orchestrator` command."""

from orchestrator.cli.main import main

if __name__ == "__main__":
    main()
