"""The command `demo`: it reads .env first, since modules look at variables as they are imported."""

from demo import envfile


def main() -> None:
    """Run the command; see `demo --help`."""
    envfile.load()
    from demo.cli import app

    app()


if __name__ == "__main__":
    main()
