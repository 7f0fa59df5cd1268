"""Plans, reports and records as somebody may have altered them: refused whole, or what they say can be told."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_args

from reconciler.cli.posting import read_document
from reconciler.errors import DamagedPlan, GitError
from reconciler.evidence.format import CLUSTERS_FILE, TARGET_FILE, files_of, record_of
from reconciler.plan.document import PlanDocument, dump_plans
from reconciler.plan.plan import Plan
from reconciler.report.render import Format, ReportFormat, render_plans, render_reports
from reconciler.results import dump_reports
from tests.evidence.records import COMMITS, line, record
from tests.fuzz.subject import JSON_WORDS, Subject, altered, damaged, told
from tests.report.everything import a_plan, a_report, explained, in_sync, left_behind, the_problems

_PLANS = [
    dump_plans([a_plan(), in_sync()], the_problems(), left_behind()),
    dump_plans([explained()]),
    dump_plans([]),
]
_REPORTS = [dump_reports([a_report()], the_problems())]
_RECORD = files_of(record(line("a", commit=COMMITS[0]), line("b"), revision=COMMITS[1]))
_LINE = json.loads(_RECORD[CLUSTERS_FILE].splitlines()[0])


def check_document(data: bytes) -> None:
    """Refused, or told in every format there is."""
    with TemporaryDirectory() as folder:
        file = Path(folder, "saved.json")
        file.write_bytes(data)
        try:
            document = read_document(str(file))
        except DamagedPlan as error:
            told(error)
            return
    if isinstance(document, PlanDocument):
        rendered = [render_plans(document, name) for name in get_args(Format)]
    else:
        rendered = [render_reports(document, name) for name in get_args(ReportFormat)]
    assert all(page.endswith("\n") or page == "" for page in rendered)


def check_record(data: tuple[bytes, bytes]) -> None:
    """Refused, or written again it is the same record."""
    header, lines = data
    try:
        read = record_of({TARGET_FILE: header, CLUSTERS_FILE: lines}, "the record r", revision=None, commit="c")
    except GitError as error:
        told(error)
        return
    assert record_of(files_of(read), "the record r", revision=None, commit="c") == read


def _resigned(data: bytes) -> bytes:
    """A plan that somebody altered, and gave the digests that it needs: they are no secret."""
    raw = json.loads(data)
    try:
        for target in raw["targets"]:
            target.pop("digest", None)
            for change in target["changes"]:
                change.pop("digest", None)
        plans = [Plan.model_validate_json(json.dumps(target)) for target in raw["targets"]]
    except (ValueError, KeyError, TypeError, AttributeError):
        return data
    return json.dumps(dump_plans(plans)).encode()


_dumped = [json.dumps(one).encode() for one in (*_PLANS, *_REPORTS)]
_headers = damaged([_RECORD[TARGET_FILE]], JSON_WORDS) | altered([json.loads(_RECORD[TARGET_FILE])])
_lines = damaged([_RECORD[CLUSTERS_FILE]], JSON_WORDS) | altered([_LINE])

SUBJECTS: tuple[Subject[Any], ...] = (
    Subject("plans", damaged(_dumped, JSON_WORDS) | altered(_PLANS) | altered(_PLANS).map(_resigned), check_document, 5),
    Subject("reports", damaged(_dumped, JSON_WORDS) | altered(_REPORTS), check_document, 2),
    Subject(
        "records",
        _headers.map(lambda header: (header, _RECORD[CLUSTERS_FILE])) | _lines.map(lambda lines: (_RECORD[TARGET_FILE], lines)),
        check_record,
    ),
)  # fmt: skip
