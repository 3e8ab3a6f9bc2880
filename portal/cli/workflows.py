"""Commands for workflow files and replies."""

from portal.cli.app import Files, Strict, command_group, load, print_lines

workflow = command_group("workflow", "Kinds of request and their stages.")
replies = command_group("replies", "What customers reply, and what it means.")


@workflow.command("check")
def check_workflows(files: Files, strict: Strict = False) -> None:
    """Validate workflow files; each issue has its line and a remedy.

    Texts of more than one segment are warnings.

    \b
    Example: kept workflow check --strict my-workflow.toml
    """
    from portal.commands import workflows

    print_lines(workflows.check_workflows(load(None), files, is_strict=strict))


@workflow.command("load")
def load_workflows(files: Files, strict: Strict = False) -> None:
    """Load workflow files, all of them or none; a changed one becomes a new version.

    A workflow that comes with Kept can be given by its name.

    \b
    Example: kept workflow load card-application my-workflow.toml
    """
    from portal.commands import workflows

    print_lines(workflows.load_workflows(load(None), files, is_strict=strict))


@workflow.command("list")
def list_workflows() -> None:
    """List the workflows, their versions and their stages.

    \b
    Example: kept workflow list
    """
    from portal.commands import workflows

    print_lines(workflows.list_workflows(load(None)))


@replies.command("export")
def export_replies() -> None:
    """Print as CSV the replies whose intent staff corrected, without names and numbers.

    They extend the corpus for classifying replies.

    \b
    Example: kept replies export > labelled.csv
    """
    from portal.commands import export_replies as labelled

    print_lines(labelled.export_labelled_replies(load(None)))
