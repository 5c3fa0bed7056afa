"""Engines that exist make the runs of a shot: Open Job Description, a list of commands, Dask."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from escalier.refusals import MissingFile, PackageRefusal, Refusal
from escalier.shot import Making, command_list, job_template, make_on_cluster, open_shot, plan_shot


def planned(inputs: SimpleNamespace, folder: Path):
    return plan_shot(inputs.clip, inputs.painted, folder, folder.parent / "film.mp4", Making(cuts=()))


@pytest.fixture
def environment() -> dict[str, str]:
    """The commands of this very environment come first."""
    return os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


def run(words: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_open_job_description_checks_and_runs_the_shot(inputs, tmp_path: Path, environment: dict[str, str]) -> None:
    pytest.importorskip("openjd.cli", reason="openjd-cli is not installed: pip install -e '.[test]'")
    shot = planned(inputs, tmp_path / "my shot")
    job = tmp_path / "job.json"
    job.write_text(json.dumps(job_template(shot.plan, shot.folder, job)), encoding="utf-8")
    openjd = [sys.executable, "-m", "openjd"]
    assert "passes validation checks" in run([*openjd, "check", str(job)], environment)
    run([*openjd, "run", str(job), "--step", "Assemble", "--run-dependencies"], environment)
    assert (tmp_path / "film.mp4").read_bytes() == inputs.film


@pytest.mark.slow
def test_the_list_of_commands_makes_the_shot(inputs, tmp_path: Path, environment: dict[str, str]) -> None:
    shot = planned(inputs, tmp_path / "my shot")
    run(["sh", "-ec", "\n".join(reversed(command_list(shot.plan, shot.folder)))], environment)
    run(["escalier", "assemble", str(shot.folder)], environment)
    assert (tmp_path / "film.mp4").read_bytes() == inputs.film


@pytest.mark.slow
def test_a_cluster_whose_worker_dies_makes_the_same_film(inputs, tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed", reason="distributed is not installed: pip install -e '.[test]'")
    shot = planned(inputs, tmp_path / "shot")
    told: list[tuple[float, float]] = []
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        killed = iter([True])

        def progress(done: float, total: float) -> None:
            told.append((done, total))
            if next(killed, False):
                os.kill(next(iter(cluster.workers.values())).pid, 9)

        make_on_cluster(shot, cluster.scheduler_address, progress=progress)
    assert shot.missing() == []
    assert told[-1][0] == pytest.approx(told[-1][1])
    assert shot.assemble().read_bytes() == inputs.film


@pytest.mark.slow
def test_a_run_that_kills_every_worker_is_refused_in_a_sentence(inputs, tmp_path: Path, monkeypatch) -> None:
    distributed = pytest.importorskip("distributed", reason="distributed is not installed: pip install -e '.[test]'")
    monkeypatch.setattr("escalier.shot.cluster._make", lambda *_: os._exit(9))
    shot = planned(inputs, tmp_path / "shot")
    with (
        distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster,
        pytest.raises(Refusal, match="a run must outlive its worker within 3 tries, got none; look at"),
    ):
        make_on_cluster(shot, cluster.scheduler_address)


@pytest.mark.slow
def test_what_a_worker_refuses_is_said_in_its_own_sentence(inputs, tmp_path: Path, monkeypatch) -> None:
    distributed = pytest.importorskip("distributed", reason="distributed is not installed: pip install -e '.[test]'")
    monkeypatch.setattr("escalier.shot.cluster._make", lambda folder, *_: open_shot(f"{folder} elsewhere"))
    shot = planned(inputs, tmp_path / "shot")
    with (
        distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster,
        pytest.raises(MissingFile, match=r"elsewhere must be a shot's folder, got no plan\.json; make one"),
    ):
        make_on_cluster(shot, cluster.scheduler_address)


def test_a_scheduler_that_is_not_there_is_refused(inputs, tmp_path: Path) -> None:
    pytest.importorskip("distributed", reason="distributed is not installed: pip install -e '.[test]'")
    with pytest.raises(OSError, match=r"no scheduler answers at tcp://127\.0\.0\.1:9"):
        make_on_cluster(planned(inputs, tmp_path / "shot"), "tcp://127.0.0.1:9")


def test_the_package_of_clusters_is_named_where_it_is_missing(inputs, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(PackageRefusal, match="Clusters need the package distributed"):
        make_on_cluster(planned(inputs, tmp_path / "shot"), "tcp://127.0.0.1:9")
