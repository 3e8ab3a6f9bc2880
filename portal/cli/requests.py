"""Requests from the terminal: opening one, filling a database, playing lives."""

from typing import Annotated

import typer

from portal.cli.app import app, load, show


@app.command("open")
def open_request(
    workflow: Annotated[str, typer.Option(help="The key of a loaded workflow.")],
    name: Annotated[str, typer.Option(help="The customer's name.")],
    phone: Annotated[str | None, typer.Option(help="With its country code.")] = None,
    email: Annotated[str | None, typer.Option(help="Where to write without a phone.")] = None,
    title: Annotated[str, typer.Option(help="What it is about, as the customer reads it.")] = "",
    external_id: Annotated[
        str | None, typer.Option(help="Your own name for it: the same one is never opened twice.")
    ] = None,
) -> None:
    """Open a request: prints its reference and the customer's link, and texts them.

    \b
    Example: kept open --workflow card-application --name "Martin Keller" --phone +14155550132
    """
    from portal.commands.opening import open_from_terminal
    from portal.relay import CustomerDetails, Order

    customer = CustomerDetails(name, phone, email)
    order = Order(workflow, customer, title=title, external_id=external_id)
    show(open_from_terminal(load(None), order))


@app.command()
def seed(
    requests: Annotated[int, typer.Option(min=1, help="How many requests.")] = 40,
    seed: Annotated[int, typer.Option(help="The same number makes the same data.")] = 1,
) -> None:
    """Fill the database with lifelike requests, customers and staff.

    \b
    Example: kept seed --requests 200 --seed 7
    """
    from portal.commands.seeding import seed as seed_with

    show(seed_with(load(None), requests, seed))


@app.command()
def simulate(
    requests: Annotated[int, typer.Option(min=1, help="How many lives.")] = 1000,
    seed: Annotated[int, typer.Option(help="The same number makes the same lives.")] = 1,
    faults: Annotated[
        str, typer.Option(help="all, none, or some of them: slow,absent,killed (docs/simulate.md).")
    ] = "all",
    database_url: Annotated[
        str | None, typer.Option(help="An empty database, instead of one that is then gone.")
    ] = None,
    alone: Annotated[
        bool, typer.Option("--alone", help="Not also with Kept silent, to compare.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="All figures, for a machine.")] = False,
) -> None:
    """Play whole lives against this very code, in days that pass in seconds; 1 if a ball is lost.

    Nothing is sent and no data of yours is read: carrier, mailbox, people and time are made up.

    \b
    Example: kept simulate --requests 200 --seed 7 --faults slow,forgetful,carrier
    """
    from portal.commands.simulating import simulate as play

    raise typer.Exit(
        play(requests, seed, faults, database_url=database_url, is_alone=alone, is_json=as_json)
    )
