from .atomic_files import (
    draft_of as draft_of,
    put_in_place as put_in_place,
    remove_leftovers as remove_leftovers,
    remove_quietly as remove_quietly,
    storage_error as storage_error,
    write_whole as write_whole,
)
from .cleaning import (
    KEPT_DAYS as KEPT_DAYS,
    clean_scratch as clean_scratch,
    clear_folder as clear_folder,
    scratch_facts as scratch_facts,
)
from .draft_owner import give_up as give_up, new_draft as new_draft
from .folder import (
    LOCKS as LOCKS,
    MARKER as MARKER,
    KeptArray as KeptArray,
    check_room as check_room,
    in_use as in_use,
    is_in_use as is_in_use,
    open_or_make as open_or_make,
    open_scratch as open_scratch,
    own_folder as own_folder,
    read_back as read_back,
    said_bytes as said_bytes,
    touch as touch,
    try_lock as try_lock,
)
from .kept_files import (
    ArrayFile as ArrayFile,
    Damage as Damage,
    GrowingArrayFile as GrowingArrayFile,
    array_bytes as array_bytes,
    open_array as open_array,
    put_aside as put_aside,
    read_facts as read_facts,
    write_array as write_array,
    write_facts as write_facts,
)
