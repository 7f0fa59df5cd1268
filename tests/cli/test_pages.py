"""Where a page leads, as each forge has its files."""

import pytest

from reconciler.cli.pages import page_look, released_docs
from reconciler.forge.run import ForgeName, Run
from tests.report.everything import document

ROOT = "https://git.example/acme/fleet"
SHA = "c" * 40


@pytest.mark.parametrize(
    ("forge", "file", "commit"),
    [
        ("github", f"{ROOT}/blob/{SHA}/manifests/a.yaml#L3", f"{ROOT}/commit/{SHA}"),
        ("gitea", f"{ROOT}/src/commit/{SHA}/manifests/a.yaml#L3", f"{ROOT}/commit/{SHA}"),
        ("gitlab", f"{ROOT}/-/blob/{SHA}/manifests/a.yaml#L3", f"{ROOT}/-/commit/{SHA}"),
    ],
)
def test_links_lead_where_the_forge_has_its_files(forge: ForgeName, file: str, commit: str) -> None:
    """A line of a manifest, and what a commit changed; nowhere without a server or a commit."""
    run = Run("https://git.example", "acme/fleet", SHA, forge)
    links = page_look(document(), run, 1000).links
    assert links is not None
    assert (links.manifest_url("manifests/a.yaml", 3), links.commit_url(SHA)) == (file, commit)
    assert page_look(document(), Run(), 1000).links is None


def test_a_release_explains_its_words_wherever_it_runs() -> None:
    """By the documents of its own version; what was built anywhere else makes no address up, and the action's own win."""
    said = ["Homepage, https://github.com/owner/reconciler", "Source, https://github.com/owner/reconciler"]
    assert released_docs(said, "1.2.0") == "https://github.com/owner/reconciler/blob/v1.2.0/docs"
    assert released_docs([], "1.2.0") is None
    assert (
        page_look(document(), Run(docs="https://git.example/here/docs"), 1000).docs == "https://git.example/here/docs"
    )
    assert page_look(document(), Run(), 1000).docs is None
