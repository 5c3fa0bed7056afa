from .atomic_files import (
    draft_of as draft_of,
)
from .atomic_files import (
    put_in_place as put_in_place,
)
from .atomic_files import (
    remove_leftovers as remove_leftovers,
)
from .atomic_files import (
    remove_quietly as remove_quietly,
)
from .atomic_files import (
    storage_error as storage_error,
)
from .atomic_files import (
    write_whole as write_whole,
)
from .draft_owner import (
    give_up as give_up,
)
from .draft_owner import (
    new_draft as new_draft,
)
from .folder import (
    KEPT_DAYS as KEPT_DAYS,
)
from .folder import (
    LOCKS as LOCKS,
)
from .folder import (
    MARKER as MARKER,
)
from .folder import (
    check_room as check_room,
)
from .folder import (
    clean_scratch as clean_scratch,
)
from .folder import (
    clear_folder as clear_folder,
)
from .folder import (
    in_use as in_use,
)
from .folder import (
    is_in_use as is_in_use,
)
from .folder import (
    open_or_make as open_or_make,
)
from .folder import (
    open_scratch as open_scratch,
)
from .folder import (
    own_folder as own_folder,
)
from .folder import (
    read_back as read_back,
)
from .folder import (
    said_bytes as said_bytes,
)
from .folder import (
    scratch_facts as scratch_facts,
)
from .folder import (
    touch as touch,
)
from .folder import (
    try_lock as try_lock,
)
from .kept_files import (
    ArrayFile as ArrayFile,
)
from .kept_files import (
    Damage as Damage,
)
from .kept_files import (
    GrowingArrayFile as GrowingArrayFile,
)
from .kept_files import (
    array_bytes as array_bytes,
)
from .kept_files import (
    open_array as open_array,
)
from .kept_files import (
    put_aside as put_aside,
)
from .kept_files import (
    read_facts as read_facts,
)
from .kept_files import (
    write_array as write_array,
)
from .kept_files import (
    write_facts as write_facts,
)
