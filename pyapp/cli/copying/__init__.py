"""`copy`: sessions from one store into another.

    run.py          one copy, from the comparison before it to what is said at its end
    plan.py         what is to be done with each session, found before anything is written
    writing.py      the writing, in pieces that are stored whole; ahead.py is one piece that goes on meanwhile
    checking.py     what was written is read again
    target.py       the store that is written to; recording.py is a file in JSON lines as such a store,
                    files.py what that needs of the file system
    progress.py     how far it is, for a person

Where it was interrupted is written down nowhere: it follows from what the target holds.
"""
