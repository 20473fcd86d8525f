"""An import as a process of its own that is killed in the middle.

    python -m tests.customers.imports.kill_import FILE STEP CHUNK

It imports FILE into the tenant `acme` of the database that DATABASE_URL names, in small chunks, and
dies by SIGKILL in its CHUNK-th one (from 1) at STEP: `reading` (nothing of the chunk written yet),
`together` (customers in, not yet their history), `written` (all in, not counted), `kept` (counted,
not committed), `committed` (on record, the next one not begun). Without STEP it works to the end.
"""

import os
import signal
import sys

ROWS_PER_CHUNK = 20


def die(*args, **options):
    os.kill(os.getpid(), signal.SIGKILL)


def lay_trap(step, chunk):
    """Make the step deadly in the chunk with this number."""
    from customers.imports import engine, runs
    from customers.services import registering_many

    passed = {"n": 0}
    look_up = runs.RunJournal.look_up
    keep = runs.RunJournal.keep
    write = engine._Run.write
    trace = registering_many._leave_traces

    def now():
        return passed["n"] == chunk

    def counted(journal):
        if step == "committed" and now():
            die()
        look_up(journal)
        passed["n"] += 1
        if step == "reading" and now():
            die()

    def traced(*args):
        if step == "together" and now():
            die()
        return trace(*args)

    def written(run, candidates):
        outcomes = write(run, candidates)
        if step == "written" and now():
            die()
        return outcomes

    def kept(journal, report, chunk_done):
        keep(journal, report, chunk_done)
        if step == "kept" and now():
            die()

    runs.RunJournal.look_up = counted
    runs.RunJournal.keep = kept
    engine._Run.write = written
    registering_many._leave_traces = traced


def main():
    import django

    django.setup()
    from django.db import connections

    from customers.imports import engine
    from customers.imports.runs import import_path
    from tenancy.models import Tenant
    from tenancy.scoping import in_tenant

    path, step, chunk = (*sys.argv[1:], "", "0")[:3]
    engine.CHUNK = ROWS_PER_CHUNK
    if step:
        lay_trap(step, int(chunk))
    with in_tenant(Tenant.objects.get(code="acme")):
        import_path(path, options={})
    connections.close_all()


if __name__ == "__main__":
    main()
