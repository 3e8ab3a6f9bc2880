"""Commands for requests: open one, and fill a database with sample data."""

from typing import Annotated

import typer

from portal.cli.app import app, load, print_lines


@app.command("open")
def open_request(
    workflow: Annotated[str, typer.Option(help="The key of a loaded workflow.")],
    name: Annotated[str, typer.Option(help="The customer's name.")],
    phone: Annotated[
        str | None, typer.Option(help="The phone number, with its country code.")
    ] = None,
    email: Annotated[
        str | None, typer.Option(help="The e-mail address, if there is no phone.")
    ] = None,
    title: Annotated[str, typer.Option(help="The title that the customer reads.")] = "",
    external_id: Annotated[
        str | None,
        typer.Option(help="Your own id; a second request with the same id is not opened."),
    ] = None,
) -> None:
    """Open a request, text the customer, and print the reference and the link.

    \b
    Example: kept open --workflow card-application --name "Martin Keller" --phone +14155550132
    """
    from portal.commands.open_request import open_from_command_line
    from portal.operations import CustomerDetails, RequestDetails

    customer = CustomerDetails(name, phone, email)
    order = RequestDetails(workflow, customer, title=title, external_id=external_id)
    print_lines(open_from_command_line(load(None), order))


@app.command()
def seed(
    requests: Annotated[int, typer.Option(min=1, help="How many requests.")] = 40,
    seed: Annotated[int, typer.Option(help="The same seed makes the same data.")] = 1,
) -> None:
    """Fill the database with sample requests, customers and staff.

    \b
    Example: kept seed --requests 200 --seed 7
    """
    from portal.commands.seed import seed as seed_with

    print_lines(seed_with(load(None), requests, seed))
