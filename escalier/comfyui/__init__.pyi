from .answers import Limits as Limits
from .client import Client as Client, Listener as Listener
from .connection import tidy_url as tidy_url
from .errors import ComfyUIError as ComfyUIError, ServerGone as ServerGone
from .find import comfy_cli_workspace as comfy_cli_workspace, find_comfyui as find_comfyui
from .folders import cache_folder as cache_folder
from .inputs import assign_files as assign_files, split_input as split_input
from .missing_files import (
    explain_with as explain_with,
    folder_there as folder_there,
    likely_loaders as likely_loaders,
    missing_here as missing_here,
    missing_there as missing_there,
    tell_missing as tell_missing,
)
from .named_files import NamedFile as NamedFile, source_of as source_of
from .outcome import Outcome as Outcome, tidy_id as tidy_id
from .results import ResultFolder as ResultFolder, check_output as check_output
from .server import Server as Server
from .server_settings import ServerSettings as ServerSettings
from .workflow import (
    Place as Place,
    Workflow as Workflow,
    apply_settings as apply_settings,
    check_types as check_types,
    is_link as is_link,
    load_workflow as load_workflow,
    title_of as title_of,
)
