"""Jobs on the real server: results, changed inputs, refusals, failures."""

from __future__ import annotations

import asyncio
import io
import json
import shutil
import urllib.request
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import psutil
import pytest

from escalier.comfyui import Client, ComfyUIError, Server, ServerSettings, Workflow
from escalier.comfyui.answers import read_queue
from escalier.commands import cli
from escalier.commands.job_display import Bars, Lines
from escalier.commands.run import run_workflow
from escalier.film import Size, read_picture


def names(paths: list[Path], folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in paths)


def ask(server: Server, path: str) -> dict:
    with urllib.request.urlopen(server.url + path) as answer:
        return json.load(answer)


def test_results_and_previews_are_copied_to_the_output_folder(
    server: Server, picture_workflow: Workflow, tmp_path: Path
) -> None:
    results = run_workflow(picture_workflow, server=server, output=tmp_path)
    saved = [name for name in names(results, tmp_path) if name.startswith("sets/")]
    previews = [name for name in names(results, tmp_path) if name.startswith("previews/")]
    assert len(saved) == 2 and len(previews) == 2
    picture = read_picture(tmp_path / saved[0])
    assert Size.of(picture) == Size(96, 32)
    assert (picture == (0, 0, 255)).all()
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == sorted(results), "a leftover"


def test_an_input_is_set_by_a_title_with_dots_and_by_an_id(
    server: Server, picture_workflow: Workflow, tmp_path: Path
) -> None:
    settings = ["Blue. Picture.color=16711680", "2.width=40", "Save.filename_prefix=red"]
    results = run_workflow(picture_workflow, server=server, output=tmp_path, settings=settings)
    picture = read_picture(next(path for path in results if path.name.startswith("red")))
    assert Size.of(picture) == Size(40, 32)
    assert (picture == (255, 0, 0)).all()


def test_a_fraction_for_a_whole_number_is_refused(server: Server, picture_workflow: Workflow, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r'--set: width of node 2 "Scale" must be a whole number, got 40.5'):
        run_workflow(picture_workflow, server=server, output=tmp_path, settings=["2.width=40.5"])


def test_a_refused_workflow_is_reported_in_comfyuis_words(
    server: Server, picture_workflow: Workflow, tmp_path: Path
) -> None:
    del picture_workflow["4"]
    with pytest.raises(ComfyUIError, match=r'ImageScale 2 "Scale":\n  - Value not in list: upscale_method'):
        run_workflow(picture_workflow, server=server, output=tmp_path, settings=["2.upscale_method=magic"])
    assert not list(tmp_path.iterdir())


def test_a_workflow_refused_in_part_fails_as_a_whole(
    server: Server, picture_workflow: Workflow, tmp_path: Path
) -> None:
    # The preview branch is sound, so ComfyUI answers 200, runs it, and mentions the other only in node_errors.
    with pytest.raises(ComfyUIError, match=r"refused part of the workflow(.|\n)*Value not in list"):
        run_workflow(picture_workflow, server=server, output=tmp_path, settings=["2.upscale_method=magic"])
    assert not list(tmp_path.iterdir())


def test_a_failing_node_is_named_with_its_reason(
    server: Server, odd_workflow: Callable[..., Workflow], tmp_path: Path
) -> None:
    with pytest.raises(ComfyUIError, match=r'FailingPicture 2 "My FailingPicture" failed: ValueError: the paint has'):
        run_workflow(odd_workflow("FailingPicture"), server=server, output=tmp_path)
    assert not list(tmp_path.iterdir())


def test_unknown_node_types_are_listed_with_a_remedy(
    server: Server, picture_workflow: Workflow, tmp_path: Path
) -> None:
    picture_workflow["2"]["class_type"] = "VHS_LoadVideoNeverWas"
    picture_workflow["4"]["class_type"] = "EscalierNeverWas"
    with pytest.raises(ComfyUIError) as refusal:
        run_workflow(picture_workflow, server=server, output=tmp_path)
    assert '2 "Scale" is of the unknown type VHS_LoadVideoNeverWas; install ComfyUI-VideoHelperSuite' in str(
        refusal.value
    )
    assert '4 "Look" is of the unknown type EscalierNeverWas' in str(refusal.value)


@pytest.fixture
def red_picture(tmp_path: Path) -> Path:
    path = tmp_path / "a red picture.png"
    cv2.imwrite(str(path), np.full((20, 30, 3), (0, 0, 255), np.uint8))
    return path


@pytest.mark.parametrize("remote", [False, True], ids=["own server", "by address"])
def test_an_input_file_goes_to_the_only_loader(
    server: Server, picture_workflow: Workflow, red_picture: Path, tmp_path: Path, remote: bool
) -> None:
    picture_workflow["1"] = {"class_type": "LoadImage", "inputs": {"image": "none.png"}, "_meta": {"title": "Load"}}
    address = server.url if remote else server
    results = run_workflow(picture_workflow, server=address, output=tmp_path / "out", inputs=[str(red_picture)])
    previews = [path for path in results if path.parent.name == "previews"]
    assert (read_picture(previews[0]) == (255, 0, 0)).all() and Size.of(read_picture(previews[0])) == Size(30, 20)


def test_an_input_file_with_two_possible_loaders_is_refused_until_one_is_named(
    server: Server, picture_workflow: Workflow, red_picture: Path, tmp_path: Path
) -> None:
    for node, title in (("1", "Set"), ("5", "Subject")):
        loader = {"class_type": "LoadImage", "inputs": {"image": "none.png"}, "_meta": {"title": title}}
        picture_workflow[node] = loader
    picture_workflow["6"] = {"class_type": "PreviewImage", "inputs": {"images": ["5", 0]}, "_meta": {"title": "Look"}}
    with pytest.raises(ValueError, match=r"must have one loader, but 2 nodes could take it(.|\n)*5\.image="):
        run_workflow(picture_workflow, server=server, output=tmp_path / "out", inputs=[str(red_picture)])
    inputs = [f"Set.image={red_picture}", f"5.image={red_picture}"]
    assert run_workflow(picture_workflow, server=server, output=tmp_path / "out", inputs=inputs)


def test_a_file_that_a_node_saves_in_silence_is_brought_along(
    server: Server, odd_workflow: Callable[..., Workflow], tmp_path: Path
) -> None:
    run_workflow(odd_workflow("SilentSaver"), server=server, output=tmp_path)
    assert (tmp_path / "notes" / "silent.txt").read_text() == "saved without a word"


def test_a_cancelled_job_is_interrupted_on_the_server(server: Server, odd_workflow: Callable[..., Workflow]) -> None:
    async def start_and_cancel() -> float:
        started = asyncio.Event()

        def listen(kind: str, data: dict) -> None:
            if kind == "progress_state" and data["nodes"].get("2", {}).get("value", 0) >= 1:
                started.set()

        async with Client(server.url) as client:
            job = asyncio.create_task(client.run(odd_workflow("SlowPicture", seconds=60), listen))
            await asyncio.wait_for(started.wait(), 30)
            cancelled = asyncio.get_running_loop().time()
            job.cancel()
            with pytest.raises(asyncio.CancelledError):
                await job
            while read_queue(await client.request("GET", "/queue")):
                await asyncio.sleep(0.05)
            return asyncio.get_running_loop().time() - cancelled

    assert asyncio.run(start_and_cancel()) < 10  # of a job of 60 seconds


def test_progress_counts_the_nodes_and_the_steps_of_the_running_one(
    server: Server, odd_workflow: Callable[..., Workflow], tmp_path: Path
) -> None:
    workflow = odd_workflow("SlowPicture", seconds=0.5)
    lines, bars = io.StringIO(), io.StringIO()
    plain, drawn = Lines(workflow, lines), Bars(workflow, bars)
    shares = []

    def listen(kind: str, data: dict) -> None:
        plain(kind, data)
        drawn(kind, data)
        shares.append(plain._advance.share)

    run_workflow(workflow, server=server, output=tmp_path, listener=listen)
    drawn.close()
    assert shares == sorted(shares) and shares[-1] == 1.0
    assert len({share for share in shares if 0.2 < share < 0.8}) > 2, "no steps inside the slow node"
    assert "My SlowPicture" in lines.getvalue() and "My SlowPicture" in bars.getvalue()
    assert "100%" in bars.getvalue()
    assert "left" not in bars.getvalue() + lines.getvalue(), "half a second says nothing of the time that is left"


def test_the_pack_is_mounted_and_imported(server: Server) -> None:
    assert server.pack_failure() is None
    assert f"seconds: {server.scratch / 'custom_nodes' / 'escalier'}" in server.log_text()
    assert any(name.startswith("Escalier") for name in ask(server, "/object_info"))


def test_nothing_beside_the_pack_is_loaded(server: Server) -> None:
    imported = server.log_text().partition("Import times for custom nodes:")[2].partition("Using")[0]
    assert sorted(Path(line.split(": ")[1]).name for line in imported.splitlines() if "seconds" in line) == [
        "escalier",
        "odd_nodes.py",
    ]


def test_the_server_listens_on_loopback_only(server: Server) -> None:
    listening = [c for c in psutil.Process(server.pid).net_connections() if c.status == psutil.CONN_LISTEN]
    assert [(c.laddr.ip, c.laddr.port) for c in listening] == [("127.0.0.1", server.port)]


def test_the_server_keeps_no_database_file(server: Server) -> None:
    assert not list(server.base.rglob("*.db")) and not list((server.comfyui.folder / "user").glob("*.db"))


def test_a_port_in_use_is_named_with_the_way_out(server: Server, make_base: Callable[[], Path]) -> None:
    with pytest.raises(ComfyUIError, match=f"port must be free, got {server.port}, which another program uses; leave"):
        Server(server.comfyui, ServerSettings(port=server.port, device="cpu"), base=make_base()).start()


def write(workflow: Workflow, folder: Path) -> str:
    path = folder / "blue.json"
    path.write_text(json.dumps(workflow), encoding="utf-8")
    return str(path)


def test_the_run_command_prints_the_results_one_a_line(
    server: Server, picture_workflow: Workflow, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--server", server.url, "--output", str(tmp_path / "out")]
    assert cli.main(["run", write(picture_workflow, tmp_path), *options]) == 0
    printed = [Path(line) for line in capsys.readouterr().out.splitlines()]
    assert len(printed) == 4 and all(path.is_file() for path in printed)


def test_the_run_command_prints_one_object_with_json(
    server: Server, picture_workflow: Workflow, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--server", server.url, "--output", str(tmp_path / "out"), "--json"]
    assert cli.main(["run", write(picture_workflow, tmp_path), *options]) == 0
    report = json.loads(capsys.readouterr().out)
    assert len(report["files"]) == 4 and report["seconds"] >= 0


def test_the_run_command_fails_with_the_nodes_words_and_exit_code_1(
    server: Server, odd_workflow: Callable[..., Workflow], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(odd_workflow("FailingPicture"), tmp_path)
    assert cli.main(["run", path, "--server", server.url, "--output", str(tmp_path / "out")]) == 1
    printed = capsys.readouterr()
    assert printed.out == "" and "the paint has run out" in printed.err and "Traceback" not in printed.err


def test_results_are_replaced_when_the_same_workflow_runs_again(
    server: Server, picture_workflow: Workflow, tmp_path: Path
) -> None:
    first = run_workflow(picture_workflow, server=server, output=tmp_path, settings=["3.filename_prefix=twice/blue"])
    shutil.rmtree(server.output_folder / "twice")  # as a server of its own for each run would have it
    again = run_workflow(picture_workflow, server=server, output=tmp_path, settings=["1.color=65280"])
    saved = [path for path in again if path.parent.name == "twice"]
    assert saved == [path for path in first if path.parent.name == "twice"] and len(saved) == 2
    assert (read_picture(saved[0]) == (0, 255, 0)).all()
