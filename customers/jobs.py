"""What has to happen to customers without anybody asking."""

from datetime import timedelta

from customers.imports.ordering import DRY_JOB, JOB
from customers.imports.runs import DRY_LEASE, perform_job
from customers.imports.storing import forget_files
from customers.imports.undoing import UNDO_JOB, perform_undo
from customers.services import find_duplicates, forget_merges
from customers.services.bulk_deeds import JOB as BULK_JOB
from customers.services.bulk_deeds import forget_drafts, perform_bulk_deed
from customers.services.erasure_receipts import JOB as SEARCH_JOB
from customers.services.erasure_receipts import forget_searches, search_after_erasure
from customers.services.finding_duplicates import due_customers
from events.jobs import Retry, enqueue, every, job, schedule_daily
from tenancy import clock
from tenancy.models import Tenant
from tenancy.scoping import in_tenant

# A customer who changed is looked at within seconds; what a pause of the workers left, at night.
RECENT = timedelta(hours=1)


@job("customers.forget_merges")
def forget(run):
    """Drop what undoing would take, where the time to undo is over."""
    forget_merges()


@job("customers.find_duplicates")
def find(run):
    """Look at everybody who has changed since they were looked at. Cut off, it goes on where it
    was: whoever was looked at is not due any more."""
    find_duplicates(on_page=lambda done, last: run.progress(done))


@job("customers.find_recent_duplicates", routine=True)
def find_recent(run):
    """The same for those who changed a moment ago."""
    since = clock.now() - RECENT
    find_duplicates(changed_since=since, on_page=lambda done, last: run.progress(done))


@job("customers.order_recent_duplicates", routine=True)
def order_recent(run):
    """Have the customers looked at who were saved since the last time. Saving itself orders
    nothing: a till should not wait for this, nor an import order a million jobs."""
    since = clock.now() - RECENT
    for tenant in Tenant.objects.filter(active=True):
        with in_tenant(tenant):
            if due_customers(changed_since=since).exists():
                enqueue("customers.find_recent_duplicates", tenant=tenant, key="recent")


@job(JOB)
def import_file(run, *, run_id):
    """Import a file that was handed in."""
    perform_job(run, run_id)


@job(DRY_JOB, lease=DRY_LEASE, retry=Retry(delays=()))
def try_import(run, *, run_id):
    """Find out what importing a file would do."""
    perform_job(run, run_id)


@job(UNDO_JOB)
def undo_import(run, *, run_id):
    """Take back what an import did, of whom nobody has touched since."""
    perform_undo(run, run_id)


# A stretch of a large table, or a large file, is looked through without a sign of life.
@job(SEARCH_JOB, lease=300)
def search_erased(run, *, erasure_id):
    """Search everything for what an erasure should have removed."""
    search_after_erasure(run, erasure_id)


@job("customers.forget_searches")
def forget_late_searches(run):
    """Give up searches after an erasure that nobody has done for a week: what they were to look
    for goes."""
    forget_searches()


@job(BULK_JOB, lease=600)
def bulk_deed(run, *, bulk_id):
    """Do what somebody confirmed for many customers."""
    perform_bulk_deed(run, bulk_id)


@job("customers.forget_drafts")
def forget_bulk_drafts(run):
    """Remove what was chosen for a deed and never confirmed, after a day."""
    forget_drafts()


@job("customers.forget_imports")
def forget_imports(run):
    """Remove the files of imports, and what they kept of rows, after a week."""
    forget_files()


schedule_daily("customers.forget_merges", at="03:10")
schedule_daily("customers.forget_imports", at="03:20")
schedule_daily("customers.forget_drafts", at="03:25")
schedule_daily("customers.forget_searches", at="03:30")
schedule_daily("customers.find_duplicates", at="04:00")
every(20, "customers.order_recent_duplicates")
