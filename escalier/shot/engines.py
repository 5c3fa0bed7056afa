"""A plan for engines that exist: a job of Open Job Description, and a plain list of commands."""

from __future__ import annotations

import contextlib
import os
import shlex
from pathlib import Path
from typing import Any

from .plan import ShotPlan

SPECIFICATION = "jobtemplate-2023-09"


def command_list(plan: ShotPlan, folder: str | Path) -> list[str]:
    """The command for each run, which may go in any order, for OpenCue's cuecmd, arrays of Slurm, GNU parallel.

    When all are done, `escalier assemble FOLDER` writes the film.

    >>> from types import SimpleNamespace
    >>> command_list(SimpleNamespace(runs=[SimpleNamespace(number=1), SimpleNamespace(number=2)]), "/shots/my one")
    ["escalier work '/shots/my one' --run 1", "escalier work '/shots/my one' --run 2"]
    """
    place = shlex.quote(os.path.abspath(folder))
    return [f"escalier work {place} --run {run.number}" for run in plan.runs]


def job_template(plan: ShotPlan, folder: str | Path, template: str | Path) -> dict[str, Any]:
    """The shot as a job of Open Job Description, for openjd-cli, AWS Deadline Cloud and what else takes it.

    `template` is the file that it will be written to: jobs name folders from where they lie themselves.

    A step `Runs` has one task for each run, and a step `Assemble`, which waits for all of them, writes the film.

    Source: Open Job Description, template schemas 2023-09.

    >>> from types import SimpleNamespace
    >>> template = job_template(SimpleNamespace(runs=[SimpleNamespace(number=1)] * 6), "shot", "job.json")
    >>> template["steps"][0]["parameterSpace"]["taskParameterDefinitions"][0]["range"]
    '1-6'
    """
    shot = {
        "name": "Shot",
        "type": "PATH",
        "objectType": "DIRECTORY",
        "dataFlow": "INOUT",
        "description": "The shot's folder, which every worker sees, as it sees the clip and the keyframes",
    }
    with contextlib.suppress(ValueError):  # on another drive of Windows, where whoever runs the job has to name it
        shot["default"] = os.path.relpath(folder, Path(template).absolute().parent)
    number = {"name": "Number", "type": "INT", "range": f"1-{len(plan.runs)}"}
    return {
        "specificationVersion": SPECIFICATION,
        "name": "Escalier {{RawParam.Shot}}",
        "parameterDefinitions": [shot],
        "steps": [
            {
                "name": "Runs",
                "parameterSpace": {"taskParameterDefinitions": [number]},
                "script": _running("work", "{{Param.Shot}}", "--run", "{{Task.Param.Number}}"),
            },
            {
                "name": "Assemble",
                "dependencies": [{"dependsOn": "Runs"}],
                "script": _running("assemble", "{{Param.Shot}}", "--overwrite"),
            },
        ],
    }


def _running(*words: str) -> dict[str, Any]:
    return {"actions": {"onRun": {"command": "escalier", "args": list(words)}}}
