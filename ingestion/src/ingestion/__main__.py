"""The command `ingestion`, also as `python -m ingestion`.

A process that parses documents imports this module again, as multiprocessing does with the main
one: so it loads nothing before it is called.
"""

import gc


def main() -> None:
    """Run the command."""
    from ingestion.commands.cli import app

    gc.freeze()  # modules never become garbage, and each full collection would look through them
    app()


if __name__ == "__main__":
    main()
