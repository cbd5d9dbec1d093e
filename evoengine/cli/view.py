"""The verb that opens the web page."""

from __future__ import annotations

import webbrowser

import click

from evoengine.cli.picture import PROBLEMS
from evoengine.cli.read import opened_store
from evoengine.readable import plain

_NAMED = 5
"""How many campaigns' own addresses are printed, the latest ones."""


@click.command("view")
@click.argument("store", default="sqlite:///evo.db")
@click.option("--host", default="127.0.0.1", show_default=True, help="Where to listen; a token is asked for elsewhere.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8765, show_default=True, help="0 takes any that is free."
)
@click.option("--allow-host", "names", multiple=True, help="A further name that the page may be asked under.")
@click.option("--token", "ask_token", is_flag=True, help="Ask for a token on this machine too.")
@click.option("--allow-edit", "edits", is_flag=True, help="Let people have a say in campaigns; asks for a token.")
@click.option("--open", "opens", is_flag=True, help="Open it in the browser.")
@PROBLEMS
def view_command(
    store: str,
    host: str,
    port: int,
    names: tuple[str, ...],
    ask_token: bool,
    edits: bool,
    opens: bool,
    problems: tuple[str, ...],
) -> None:
    """Browse STORE (a URL or a file; sqlite:///evo.db by default) in a local web page, also while a run goes on.

    The page is read-only unless --allow-edit is given. Ctrl-C ends it.
    """
    from evoengine.web.serving import require, serve

    require()

    def ready(address: str) -> None:
        click.echo(address)
        click.echo("open this address in a browser; Ctrl-C ends it", err=True)
        if "?" not in address:  # a token is given at the first address, and kept from then on
            for row in opened.campaigns()[-_NAMED:]:
                click.echo(f"  {address}campaigns/{row.id}  {plain(row.name)}", err=True)
        if opens:
            webbrowser.open(address)

    url = store if "://" in store else f"sqlite:///{store}"
    with opened_store(url) as opened:
        serve(
            opened, host=host, port=port, names=names, ask_token=ask_token, edits=edits, problems=problems, ready=ready
        )
