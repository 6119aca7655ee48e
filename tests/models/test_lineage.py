"""What a model was made with: git's files are read as git writes them, and what is not there is not told."""

from __future__ import annotations

import hashlib
import shutil
import subprocess

import pytest

from models.tracking import lineage as of
from models.tracking.lineage import checkout, lineage, packages_digest

GIT = shutil.which("git")
needs_git = pytest.mark.skipif(GIT is None, reason="the test makes checkouts with git")
WHO = ("-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false")


def git(folder, *words):
    done = subprocess.run(["git", *WHO, *words], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def project(tmp_path):
    """A checkout with one commit."""
    home = tmp_path / "project"
    home.mkdir()
    git(home, "init", "-q", "-b", "main")
    (home / "params.yaml").write_text("seed: 7\n")
    git(home, "add", "-A")
    git(home, "commit", "-q", "-m", "one")
    return home


@needs_git
def test_the_commit_is_git_s_own_on_a_branch_packed_detached_and_in_a_worktree(project, tmp_path):
    head = git(project, "rev-parse", "HEAD")
    assert checkout(project).commit == head
    git(project, "pack-refs", "--all")
    assert not (project / ".git/refs/heads/main").exists()
    assert checkout(project).commit == head
    git(project, "worktree", "add", "-q", "-b", "side", str(tmp_path / "beside"))
    assert checkout(tmp_path / "beside").commit == head
    git(project, "checkout", "-q", "--detach")
    assert checkout(project).commit == head


@needs_git
def test_a_changed_file_is_told_and_a_new_one_is_not(project):
    (project / "model.txt").write_text("what a training leaves is no change of the code")
    assert checkout(project).is_dirty is False
    (project / "params.yaml").write_text("seed: 8\n")
    assert checkout(project).is_dirty is True


@needs_git
def test_without_git_the_commit_is_known_and_whether_files_differ_is_not(project, monkeypatch):
    monkeypatch.setattr(of.shutil, "which", lambda _name: None)
    assert checkout(project).is_dirty is None
    told = lineage(project, code=project)
    assert "project_commit" in told
    assert "project_changed" not in told


@needs_git
def test_settings_of_a_checkout_start_no_program(project):
    (project / "ran.sh").write_text("#!/bin/sh\ntouch ran\n")
    (project / "ran.sh").chmod(0o755)
    git(project, "config", "core.fsmonitor", "./ran.sh")
    checkout(project)
    assert not (project / "ran").exists()


@needs_git
def test_the_project_may_lie_below_the_top_of_its_checkout_and_the_code_may_not(project):
    below = project / "crm" / "nightly"
    below.mkdir(parents=True)
    told = lineage(below, code=below)  # as site-packages inside of a project
    assert told["project_commit"] == git(project, "rev-parse", "HEAD")
    assert "leadrank_commit" not in told


def test_no_checkout_and_a_damaged_one_are_none(tmp_path):
    assert checkout(tmp_path) is None
    (tmp_path / ".git").mkdir()
    assert checkout(tmp_path) is None
    for text in ("ref: refs/heads/none", "ref: ../../secret", "ref: refs/heads/a", "\x00"):
        (tmp_path / ".git/HEAD").write_text(text)
        assert checkout(tmp_path) is None
    (tmp_path / ".git/refs/heads").mkdir(parents=True)
    (tmp_path / ".git/HEAD").write_text("ref: refs/heads/a")
    (tmp_path / ".git/refs/heads/a").write_text("ref: refs/heads/a")  # it points at itself
    assert checkout(tmp_path) is None


def test_packages_are_told_alike_in_any_order_and_another_version_is_another_digest():
    one = packages_digest([("Ibis_Framework", "12.0.0"), ("duckdb", "1.5.5")])
    assert one == packages_digest([("duckdb", "1.5.5"), ("ibis-framework", "12.0.0")])
    assert one == hashlib.sha256(b"duckdb==1.5.5\nibis-framework==12.0.0").hexdigest()
    assert one != packages_digest([("duckdb", "1.5.6"), ("ibis-framework", "12.0.0")])


def test_the_project_s_own_lock_file_counts_before_ours(tmp_path):
    ours, home = tmp_path / "ours", tmp_path / "home"
    for folder in (ours, home):
        folder.mkdir()
    assert "lock_digest" not in lineage(home, code=ours)
    (ours / "requirements.lock").write_text("a==1\n")
    assert lineage(home, code=ours)["lock_digest"] == hashlib.sha256(b"a==1\n").hexdigest()
    (home / "requirements.lock").write_text("a==2\n")
    assert lineage(home, code=ours)["lock_digest"] == hashlib.sha256(b"a==2\n").hexdigest()
