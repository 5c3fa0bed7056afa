from .answers import Limits as Limits
from .client import (
    Client as Client,
)
from .client import (
    Listener as Listener,
)
from .connection import tidy_url as tidy_url
from .errors import (
    HeadlessError as HeadlessError,
)
from .errors import (
    ServerGone as ServerGone,
)
from .find import (
    comfy_cli_workspace as comfy_cli_workspace,
)
from .find import (
    find_comfyui as find_comfyui,
)
from .folders import cache_folder as cache_folder
from .inputs import (
    assign_files as assign_files,
)
from .inputs import (
    split_input as split_input,
)
from .missing_files import (
    explain_with as explain_with,
)
from .missing_files import (
    folder_there as folder_there,
)
from .missing_files import (
    likely_loaders as likely_loaders,
)
from .missing_files import (
    missing_here as missing_here,
)
from .missing_files import (
    missing_there as missing_there,
)
from .missing_files import (
    tell_missing as tell_missing,
)
from .named_files import NamedFile as NamedFile
from .outcome import (
    Outcome as Outcome,
)
from .outcome import (
    tidy_id as tidy_id,
)
from .results import (
    ResultFolder as ResultFolder,
)
from .results import (
    check_output as check_output,
)
from .server import Server as Server
from .workflow import (
    Place as Place,
)
from .workflow import (
    Workflow as Workflow,
)
from .workflow import (
    apply_settings as apply_settings,
)
from .workflow import (
    check_types as check_types,
)
from .workflow import (
    is_link as is_link,
)
from .workflow import (
    load_workflow as load_workflow,
)
from .workflow import (
    title_of as title_of,
)
