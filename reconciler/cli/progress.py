"""How far an apply is, in the one line that a terminal shows while it runs."""

from reconciler.apply.machine import Progress
from reconciler.report.values import duration_text


def progress_text(doing: str, progress: Progress) -> str:
    """`applying: 12 of 40 done, 1 failed, 8 awaited, the longest for 2m`: numbers alone, so nobody's words."""
    parts = [f"{progress.ended} of {progress.total} done"]
    parts += [f"{progress.failed} failed"] if progress.failed else []
    parts += [f"{progress.awaited} awaited"] if progress.awaited else []
    if progress.awaited and progress.oldest_seconds is not None:
        parts.append(f"the longest for {duration_text(round(progress.oldest_seconds))}")
    return f"{doing}: {', '.join(parts)}"
