"""Reading workflows and changing their inputs, with no server at all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from escalier.comfyui import Place, Workflow, apply_settings, load_workflow, split_input
from escalier.comfyui.inputs import find_loader, kind_of
from escalier.comfyui.workflow import check_workflow, shipped_workflows, split_setting

CANVAS = {"nodes": [{"id": 1, "type": "LoadImage"}], "links": [], "version": 0.4}


@pytest.fixture
def workflow() -> Workflow:
    nodes = {
        "1": ("LoadVideo", "Clip", {"file": "none.mp4"}),
        "2": (
            "KSampler",
            "Paint",
            {"seed": 7, "cfg": 1, "name": "euler", "tiled": False, "model": ["1", 0], "box": {"x": 1}},
        ),
        "3": ("Note", "Paint.seed", {"seed": 1, "mode.grow": 4}),
        "14:7": ("Blur", "Blur", {"radius": 2}),
        "15": ("Blur", "Blur", {"radius": 3}),
        "16": ("Odd", "2", {"seed": 0}),
    }
    return check_workflow(
        {
            key: {"class_type": kind, "inputs": inputs, "_meta": {"title": title}}
            for key, (kind, title, inputs) in nodes.items()
        }
    )


@pytest.mark.parametrize(
    ("setting", "place", "value"),
    [
        pytest.param("Paint.seed=42", Place("2", "seed"), 42, id="by title"),
        pytest.param("Paint.seed.seed=42", Place("3", "seed"), 42, id="the longest title wins"),
        pytest.param("3.mode.grow=5", Place("3", "mode.grow"), 5, id="a dot in the input's name"),
        pytest.param("2.seed=9", Place("2", "seed"), 9, id="an id wins over an equal title"),
        pytest.param("14:7.radius=0.5", Place("14:7", "radius"), 0.5, id="an id inside a subgraph"),
        pytest.param("Paint.cfg=7.5", Place("2", "cfg"), 7.5, id="a fraction where the export has a whole number"),
        pytest.param("Paint.name=42", Place("2", "name"), "42", id="a text input keeps a number as text"),
        pytest.param("Paint.name=a=b", Place("2", "name"), "a=b", id="an equals sign in the value"),
        pytest.param("Paint.name=", Place("2", "name"), "", id="an empty text"),
        pytest.param("Paint.tiled=true", Place("2", "tiled"), True, id="a switch"),
        pytest.param('Paint.model=["14:7", 1]', Place("2", "model"), ["14:7", 1], id="a link is changed by a link"),
        pytest.param('Paint.box={"x": 2}', Place("2", "box"), {"x": 2}, id="a JSON object"),
    ],
)
def test_a_setting_changes_its_input_alone(workflow: Workflow, setting: str, place: Place, value: object) -> None:
    before = json.loads(json.dumps(workflow))
    assert apply_settings(workflow, [setting]) == [place]
    assert workflow[place.node]["inputs"][place.input] == value
    assert type(workflow[place.node]["inputs"][place.input]) is type(value)
    workflow[place.node]["inputs"][place.input] = before[place.node]["inputs"][place.input]
    assert workflow == before


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        pytest.param("Nobody.seed=1", r'must be NODE\.INPUT=VALUE(.|\n)*2 "Paint" \(KSampler\)', id="no such node"),
        pytest.param("Paint.seed", r"must be NODE\.INPUT=VALUE", id="no value"),
        pytest.param(
            "Blur.radius=1", r'got "Blur", which 2 nodes bear; use an id(.|\n)*14:7(.|\n)*15', id="two of a title"
        ),
        pytest.param("Paint.sead=1", r'got "sead"; it has: seed, cfg, name, tiled, model, box', id="no such input"),
        pytest.param(
            "Paint.seed=many", r'seed of node 2 "Paint" must be a number, got many; it is 7 now', id="no number"
        ),
        pytest.param("Paint.seed=NaN", r"must be a number, got NaN", id="not a finite number"),
        pytest.param("Paint.seed=true", r"must be a number, got true", id="a switch for a number"),
        pytest.param("Paint.tiled=0", r"must be true or false, got 0; it is false now", id="a number for a switch"),
        pytest.param("Paint.tiled=False", r"must be true or false, got False", id="Python's spelling of a switch"),
        pytest.param("Paint.model=9", r'fed by node 1 "Clip": set an input of that node', id="a value for a link"),
        pytest.param('Paint.model=["99", 0]', r"must be a link", id="a link to no node"),
        pytest.param("Paint.box=3", r'must be JSON like its present value {"x": 1}', id="a number for an object"),
    ],
)
def test_a_wrong_setting_is_refused(workflow: Workflow, setting: str, message: str) -> None:
    before = json.loads(json.dumps(workflow))
    with pytest.raises(ValueError, match=message):
        apply_settings(workflow, [setting])
    assert workflow == before


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(
            json.dumps(CANVAS), r"API format, got the canvas format.*File > Export \(API\)", id="canvas format"
        ),
        pytest.param("{}", r"must hold nodes in API format, got none; .*Export \(API\)", id="empty"),
        pytest.param("[1, 2]", r"must hold nodes in API format", id="a list"),
        pytest.param('{"1": {"inputs": {}}}', r"node 1 has not", id="no class"),
        pytest.param('{"1": {"class_type": "A", "inputs": []}}', r"node 1 has not", id="inputs by position"),
        pytest.param("{", r"must be JSON, got", id="cut short"),
        pytest.param("\xff\xfe", r"must be JSON", id="not text"),
        pytest.param("[" * 100_000, r"must be JSON, got brackets without end", id="deep"),
        pytest.param('{"a":' * 100_000, r"must be JSON, got brackets without end", id="deep objects"),
        pytest.param('{"1": NaN}', r"must be JSON, got NaN", id="not a number"),
        pytest.param('{"1": [-Infinity]}', r"must be JSON, got -Infinity", id="infinity"),
        pytest.param(
            '{"1": 1e999}', r"must be JSON, got the number 1e999, which is too large", id="too large a number"
        ),
        pytest.param('{"1": ' + "9" * 5000 + "}", r"must be JSON, got", id="a number without end"),
        pytest.param('{"1": {}, "2": {}, "1": {}}', r"got the name '1' twice in one object", id="one id twice"),
        pytest.param('{"1": {"class_type": 5, "inputs": {}}}', r"node 1 has not", id="a class that is a number"),
        pytest.param('{"1": null}', r"node 1 has not", id="a node that is null"),
        pytest.param('{"\\u001b[2J": null}', r"node \\x1b\[2J has not", id="an id that a terminal obeys"),
        pytest.param('{"1": {"class_type": "A", "inputs": null}}', r"node 1 has not", id="inputs that are null"),
        pytest.param('{"1": {"class_type": "A", "_meta": 5}}', r"_meta of every node", id="a _meta that is a number"),
        pytest.param('{"1": {"class_type": "A", "_meta": [1]}}', r"_meta of every node", id="a _meta that is a list"),
        pytest.param('{"1": {"class_type": "A", "_meta": {"title": {}}}}', r"_meta of every", id="a title of no text"),
        pytest.param("null", r"must hold nodes in API format", id="null"),
        pytest.param('"text"', r"must hold nodes in API format", id="a text"),
        pytest.param("3", r"must hold nodes in API format", id="a number"),
    ],
)
def test_what_is_no_api_workflow_is_refused(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "flow.json"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(ValueError, match=message):
        load_workflow(path)


def test_a_workflow_saved_as_a_request_is_unwrapped_and_every_node_gets_a_title(tmp_path: Path) -> None:
    path = tmp_path / "flow.json"
    path.write_text("\ufeff" + json.dumps({"prompt": {"1": {"class_type": "A", "inputs": {}}}}), encoding="utf-8")
    assert load_workflow(path) == {"1": {"class_type": "A", "inputs": {}, "_meta": {"title": "A"}}}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("meta", ["null", "{}", '{"title": null}'])
def test_a_workflow_is_read_in_every_encoding_of_json(tmp_path: Path, encoding: str, meta: str) -> None:
    path = tmp_path / "flow.json"
    path.write_text('{"1": {"class_type": "Bläue", "_meta": %s}}' % meta, encoding=encoding)  # noqa: UP031
    assert load_workflow(path)["1"]["_meta"]["title"] == "Bläue"


def test_a_huge_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "flow.json"
    with path.open("wb") as file:
        file.truncate(10**12)
    with pytest.raises(ValueError, match=r"must be a workflow of at most 64 MB, got 1000000 MB"):
        load_workflow(path)


def test_a_workflow_made_in_python_needs_texts_for_ids() -> None:
    with pytest.raises(ValueError, match="ids in workflow must be texts, got 3; write it in quotes"):
        check_workflow({3: {"class_type": "A"}})


def test_a_missing_workflow_is_refused_with_the_shipped_names() -> None:
    known = ", ".join(shipped_workflows()) or "none"
    with pytest.raises(FileNotFoundError, match=f"a file or a shipped name \\({known}\\), got staircaze"):
        load_workflow("staircaze")


def test_every_shipped_workflow_can_be_named_by_its_stem() -> None:
    for name, path in shipped_workflows().items():
        assert load_workflow(name) == load_workflow(path)


NODE_INFO = {
    "LoadVideo": {"input": {"required": {"file": ["COMBO", {"video_upload": True}]}}},
    "LoadImage": {"input": {"required": {"image": [["a.png"], {"image_upload": True}]}}},
    "LoadAudio": {"input": {"required": {"audio": ["COMBO", {"audio_upload": True}]}}},
}


@pytest.mark.parametrize(
    ("file", "loader"),
    [
        pytest.param("dance.mp4", Place("1", "file"), id="a clip, not to the loader of sound"),
        pytest.param("key_0001.PNG", Place("20", "image"), id="a picture"),
        pytest.param("song.flac", Place("21", "audio"), id="a sound"),
    ],
)
def test_a_file_finds_the_loader_of_its_kind(workflow: Workflow, file: str, loader: Place) -> None:
    workflow["20"] = {"class_type": "LoadImage", "inputs": {"image": "a.png"}, "_meta": {"title": "Look"}}
    workflow["21"] = {"class_type": "LoadAudio", "inputs": {"audio": "a.wav"}, "_meta": {"title": "Sound"}}
    assert find_loader(workflow, Path(file), NODE_INFO) == loader


def test_a_file_without_a_loader_is_refused(workflow: Workflow) -> None:
    with pytest.raises(ValueError, match=r"must have a loader for key\.png, but it has none"):
        find_loader(workflow, Path("key.png"), NODE_INFO)


def test_a_loader_that_is_taken_is_not_given_twice(workflow: Workflow) -> None:
    with pytest.raises(ValueError, match="it has none"):
        find_loader(workflow, Path("b.mp4"), NODE_INFO, taken=[Place("1", "file")])


def test_a_file_with_an_equals_sign_in_its_name_is_taken_as_a_file(workflow: Workflow, tmp_path: Path) -> None:
    clip = tmp_path / "Clip.file=1.mp4"
    clip.write_bytes(b"film")
    assert split_input(workflow, str(clip)) == (None, clip)
    assert split_input(workflow, f"Clip.file={clip}") == (Place("1", "file"), clip)


@pytest.mark.parametrize("kind", ["missing", "folder", "empty"])
def test_an_input_file_that_cannot_be_read_is_refused(workflow: Workflow, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "clip.mp4"
    if kind == "folder":
        path.mkdir()
    if kind == "empty":
        path.touch()
    wanted = {"missing": "nothing there", "folder": "one input called .folder.", "empty": "got an empty file"}[kind]
    with pytest.raises((FileNotFoundError, ValueError), match=f"clip.mp4 must .*{wanted}"):
        split_input(workflow, str(path))


def test_a_folder_goes_to_the_one_input_that_is_called_folder(tmp_path: Path) -> None:
    workflow = {"2": {"class_type": "EscalierLoadKeyframes", "inputs": {"folder": "a"}, "_meta": {"title": "Keys"}}}
    assert split_input(workflow, str(tmp_path)) == (Place("2", "folder"), tmp_path)
    assert split_input(workflow, f"Keys.folder={tmp_path}") == (Place("2", "folder"), tmp_path)


def test_suffixes_tell_the_kind_of_a_file_on_every_system() -> None:
    kinds = [kind_of(Path("a" + suffix)) for suffix in (".mkv", ".MOV", ".webp", ".exr", ".m4a", ".txt", "")]
    assert kinds == ["video", "video", "image", "image", "audio", None, None]


def test_a_setting_names_its_own_option_in_its_refusal(workflow: Workflow) -> None:
    with pytest.raises(ValueError, match=r"^--input: "):
        split_setting(workflow, "Nobody.file=x", option="--input")
