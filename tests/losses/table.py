"""The contract of the losses as a table at the end of the test output."""


def show_contract(terminalreporter):
    """A row for each loss, a column for each check; nothing where none was run."""
    marks = {"passed": "ok", "failed": "FAILED", "error": "FAILED"}
    results = {
        tuple(report.nodeid.split("test_contract[")[1].rstrip("]").rsplit("-", 1)): marks[outcome]
        for outcome in marks
        for report in terminalreporter.stats.get(outcome, [])
        if "test_contract[" in report.nodeid
    }
    if not results:
        return
    # Only now: a run of other tests does without.
    from .contract import CHECKS, NOT_APPLICABLE

    terminalreporter.section("losses: contract")
    for number, name in enumerate(CHECKS, start=1):
        terminalreporter.line(f"{number:2}  {name.replace('_', ' ')}")
    titles = sorted({title for title, _ in results} | {title for title, _ in NOT_APPLICABLE})
    width = max(map(len, titles))
    terminalreporter.line(
        " " * width + "".join(f"{number:8}" for number in range(1, len(CHECKS) + 1))
    )
    for title in titles:
        cells = (
            results.get((title, name), "-" if (title, name) in NOT_APPLICABLE else "not run")
            for name in CHECKS
        )
        terminalreporter.line(f"{title:{width}}" + "".join(f"{cell:>8}" for cell in cells))
    for line in reasons(NOT_APPLICABLE):
        terminalreporter.line(line)


def reasons(not_applicable):
    """A line for each reason: what it is said of, losses that share their checks in one."""
    losses, checks = {}, {}
    for (title, name), reason in not_applicable.items():
        losses.setdefault((reason, name), []).append(title)
    for (reason, name), titles in losses.items():
        checks.setdefault((reason, ", ".join(titles)), []).append(name.replace("_", " "))
    return [
        f"-  {', '.join(names)}: {reason} ({titles})" for (reason, titles), names in checks.items()
    ]
