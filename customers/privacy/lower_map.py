"""The lines of the tables below customers (tenants, events), of Django's own, and of the places
that are not tables."""

import json

from django.apps import apps
from django.db.models import Q

from customers.privacy.registry import (
    EMPTIED,
    GOES,
    KEPT,
    MONTH,
    NAMES_ONLY,
    becomes,
    lines,
    registry,
    shown,
)

EMPLOYMENT = "while the person works for the tenant; not touched by a customer's erasure"
SETUP = "the tenant's set-up"
KEPT_TRACE = "accountability: that something was done stays, what it said goes"
STAFF_DATA = "says who of the staff acted, which is their data, not the customer's"
IN_HISTORY = "the history tells the same"
AT_PROVIDER = "the provider's number of the message, points at what it holds"
COPY = "a copy of data exported elsewhere, for hours only"


def _history_of(customer):
    return Q(subject_type="customer", subject_id=customer.pk)


def _told_changes(entry):
    """The changes without the names of staff members."""
    return {
        name: [value and "staff" for value in values] if name == "seller" else values
        for name, values in entry.changes.items()
    }


def _answers_about(customer):
    """Stored answers that speak of the customer: by their subject, by their path, or anywhere in
    their text (a batch answers for many).

    A key without an answer holds none, and may be that of the erasure itself.
    """
    told = str(customer.pk)
    return Q(done=True) & (
        Q(subject_id=customer.pk)
        | Q(path__icontains=told)
        | Q(path__icontains=customer.pk.hex)
        | Q(body__icontains=told)
    )


def _log_entries_about(customer):
    """Django's log of the back office: entries on the customer and on each of its rows."""
    content_types = apps.get_model("contenttypes.ContentType").objects
    wanted = Q(
        content_type=content_types.get_for_model(apps.get_model("customers.Customer")),
        object_id=str(customer.pk),
    )
    for table in registry.about_customers():
        if table.owner and table.label != "customers.Customer":
            keys = [str(key) for key in table.rows_of(customer).values_list("pk", flat=True)]
            content_type = content_types.get_for_model(table.model)
            wanted |= Q(content_type=content_type, object_id__in=keys)
    return wanted


def _sessions_about(customer):
    """Sessions whose content names the customer, such as a message that still waits to be shown."""
    sessions = apps.get_model("sessions.Session").objects
    told = (str(customer.pk), customer.code or str(customer.pk))
    return Q(
        pk__in=[
            session.pk
            for session in sessions.iterator(chunk_size=500)
            if any(text in json.dumps(session.get_decoded(), default=str) for text in told)
        ]
    )


registry.add_table(
    "events.HistoryEntry",
    lines("id tenant subject_type subject_id", KEPT, exported=False),
    lines("at", MONTH, personal="customer"),
    lines("actor_kind", KEPT, why=KEPT_TRACE),
    lines("actor_id actor_label", KEPT, personal="staff", why=KEPT_TRACE, exported=False),
    lines("deed version", KEPT, personal="customer", why=KEPT_TRACE),
    lines("reason", EMPTIED, personal="customer"),
    lines("request_id", EMPTIED, why="leads to lines of the access log", exported=False),
    shown("changes", NAMES_ONLY, "changes", _told_changes, {"type": "object"}),
    lines("redacted", becomes(True), exported=False),
    select=_history_of,
    section="history",
    order=("id",),
    purpose="who changed what, when and why; who looked, where the tenant asks for it",
    limit="with the shell; all but the last entry go when the customer is deleted; who only looked"
    " (`log_reads`): READS_KEEP_DAYS (365 days)",
)
registry.add_table(
    "events.Event",
    lines("id tenant uid subject_type position", KEPT, exported=False),
    lines("kind subject_id version", KEPT, personal="customer", why=IN_HISTORY, exported=False),
    lines("at", MONTH, personal="customer", why=IN_HISTORY, exported=False),
    lines("data", KEPT, why="ids only, never a value", exported=False),
    select=_history_of,
    deleted_too=False,
    purpose="the change feed and webhooks, ids only",
    limit="EVENTS_KEEP_DAYS (90 days), erased or not: the feed must tell of erasures and deletions",
)
registry.add_table(
    "events.Circuit",
    lines("target failures open_until failed_at", KEPT, exported=False),
    purpose="which other servers fail, by their names in the set-up, so that nobody waits for them",
    limit="until the server works again",
)
registry.add_table(
    "events.WebhookEndpoint",
    lines("id tenant url description events active position", KEPT, exported=False),
    lines("salt pepper previous_salt previous_pepper", KEPT, exported=False, secret=True),
    lines("previous_until created_at updated_at sender sender_until", KEPT, exported=False),
    lines("last_success_at failing_since disabled_at disabled_reason", KEPT, exported=False),
    purpose="which other systems are told of events",
    limit="until an administrator removes it",
)
registry.add_table(
    "events.WebhookDelivery",
    lines("id tenant endpoint event kind position state attempts", KEPT, exported=False),
    lines("next_at tried_at last_status last_error last_milliseconds", KEPT, exported=False),
    lines("created_at", KEPT, exported=False),
    purpose="what became of telling another system of an event; no content, neither way",
    limit="WEBHOOK_LOG_DAYS (30 days), or with the event",
)
registry.add_table(
    "events.Feed",
    lines("id tenant last_position pruned_position", KEPT, exported=False),
    purpose="how far the change feed is numbered and cleared",
    limit="with the tenant",
)
registry.add_table(
    "events.IdempotencyKey",
    lines("id tenant owner key method body_hash", GOES, exported=False),
    lines("lease_until lease done status content_type expires_at", GOES, exported=False),
    lines("path body headers subject_id", GOES, personal="customer", why=COPY, exported=False),
    select=_answers_about,
    whole_row=True,
    purpose="to answer a repeated request like the first",
    limit="IDEMPOTENCY_HOURS (48 hours)",
)
IDS_ONLY = "ids and codes only, refused otherwise when the job is ordered"
registry.add_table(
    "events.Job",
    lines("id tenant name key slot state priority attempts run_at", KEPT, exported=False),
    lines("ticket lease_until fence cancel_requested", KEPT, exported=False),
    lines("progress_done progress_total progress_note", KEPT, exported=False),
    lines("args data", KEPT, why=IDS_ONLY, exported=False),
    lines("error_kind error", KEPT, why="class and place, never what it said", exported=False),
    lines("actor_kind", KEPT, why=KEPT_TRACE, exported=False),
    lines("actor_id actor_label", KEPT, personal="staff", why=KEPT_TRACE, exported=False),
    lines("request_id created_at started_at finished_at", KEPT, exported=False),
    purpose="work in the background: what waits, what ran, what failed",
    limit="JOBS_KEEP_DAYS (30 days) after its end",
)
registry.add_table(
    "django_tasks_database.DBTaskResult",
    lines("id status enqueued_at started_at finished_at priority task_path", KEPT, exported=False),
    lines("worker_ids queue_name backend_name run_after", KEPT, exported=False),
    lines("args_kwargs", KEPT, why="the id of the job, nothing else", exported=False),
    lines("return_value exception_class_path traceback", KEPT, why="empty", exported=False),
    purpose="the queue of waiting jobs; without a tenant, because a worker serves all of them",
    limit="until the job starts",
)
registry.add_table(
    "events.Message",
    lines("id tenant sample counted secret_made expires_at", GOES, exported=False),
    lines("customer_id", GOES, exported=False),
    lines("purpose channel language to words state reason", GOES, personal="customer"),
    lines("attempts created_at sent_at", GOES, personal="customer"),
    lines("provider_id", GOES, personal="customer", why=AT_PROVIDER, exported=False),
    lines("seed", GOES, why="a secret", exported=False, secret=True),
    owner="customer_id",
    whole_row=True,
    section="messages",
    order=("created_at", "pk"),
    purpose="to send mails and SMS, and to say what became of them; no text is stored",
    limit="address and words until sent, or expired (48 hours); the note MESSAGE_DAYS (90 days)",
)
registry.add_table(
    "events.MessageText",
    lines("id tenant purpose channel language subject text updated_at", KEPT, exported=False),
    purpose="the tenant's own wording of messages",
    limit="with the tenant",
)
registry.add_table(
    "tenancy.AccessToken",
    lines("id", GOES, exported=False),
    lines("tenant staff family", GOES, exported=False),
    lines("customer_id", GOES, exported=False),
    lines("kind holder name scopes", GOES, personal="customer"),
    lines("created_at expires_at used_at revoked_at", GOES, personal="customer"),
    lines("prefix pepper digest", GOES, why="a secret", exported=False, secret=True),
    owner="customer_id",
    whole_row=True,
    section="access_tokens",
    order=("created_at", "pk"),
    purpose="to sign in; erasure ends every session",
    limit="until it expires or the customer is erased",
)
registry.add_table(
    "tenancy.TokenStore",
    lines("id tenant token store", KEPT, exported=False),
    purpose="which stores a token is bound to; goes with its token",
    limit="with the token",
)
registry.add_table(
    "tenancy.Tenant",
    lines("id code name currency country timezone settings", KEPT, exported=False),
    lines("active created_at last_customer_number last_subscription_code", KEPT, exported=False),
    purpose=SETUP,
    limit="with the tenant",
)
registry.add_table(
    "tenancy.Store",
    lines("id tenant code name location_id country default created_at", KEPT, exported=False),
    lines("latitude_micro longitude_micro", KEPT, exported=False),
    purpose=SETUP,
    limit="with the tenant",
)
registry.add_table(
    "tenancy.User",
    lines("id is_active is_superuser created_at", KEPT, exported=False),
    lines("email name language last_login", KEPT, personal="staff", exported=False),
    lines("password", KEPT, personal="staff", why="a secret", exported=False, secret=True),
    purpose="to sign in to the back office",
    limit=EMPLOYMENT,
)
registry.add_table(
    "tenancy.StaffMember",
    lines("id tenant default created_at", KEPT, exported=False),
    lines("user role active", KEPT, personal="staff", exported=False),
    purpose="who works for the tenant",
    limit=EMPLOYMENT,
)
registry.add_table(
    "tenancy.StaffStore",
    lines("id tenant", KEPT, exported=False),
    lines("staff store", KEPT, personal="staff", exported=False),
    purpose="which stores a staff member is limited to",
    limit=EMPLOYMENT,
)
registry.add_table(
    "tenancy.RateCounter",
    lines("key count expires_at", KEPT, exported=False),
    purpose="to stop guessing; counts by a keyed hash that expires, never by the value",
    limit="one day at most",
)
registry.add_table(
    "admin.LogEntry",
    lines("id action_time action_flag content_type object_id", KEPT, exported=False),
    lines("user", KEPT, personal="staff", why=STAFF_DATA, exported=False),
    lines(
        "object_repr change_message", EMPTIED, personal="customer", why=IN_HISTORY, exported=False
    ),
    select=_log_entries_about,
    deleted_too=False,
    purpose="what staff did in the back office",
    limit="with the tenant; its texts are emptied",
)
registry.add_table(
    "sessions.Session",
    lines("session_key expire_date", GOES, exported=False),
    lines("session_data", GOES, personal="staff", exported=False, secret=True),
    select=_sessions_about,
    whole_row=True,
    purpose="who is signed in to the back office",
    limit="SESSION_HOURS (12 hours); one that names the customer ends at once",
)
for label, columns in {
    "auth.Permission": "id name content_type codename",
    "auth.Group": "id name",
    "contenttypes.ContentType": "id app_label model",
}.items():
    registry.add_table(
        label,
        lines(columns, KEPT, exported=False),
        purpose="Django's list of its own parts",
        limit="none",
    )

registry.add_store(
    name="Pictures (MEDIA_ROOT/avatars)",
    holds="the re-encoded picture, without metadata, under a random name",
    on_erasure="deleted after the commit; tried again until it is gone",
    limit="until the picture is replaced or the customer is erased",
    reached=True,
)
registry.add_store(
    name="Erasure journal (ERASURE_JOURNAL)",
    holds="customer id, tenant, time, scope and policy of every erasure; nothing about the person",
    on_erasure="gets one line",
    limit="at least as long as the oldest backup",
    reached=True,
)
registry.add_store(
    name="SQLite's write-ahead log",
    holds="earlier states of changed pages",
    on_erasure="emptied after the commit; freed pages are overwritten (secure_delete)",
    limit="until the next checkpoint",
    reached=True,
)
registry.add_store(
    name="PostgreSQL's dead rows and write-ahead log",
    holds="earlier states of changed rows",
    on_erasure="overwritten by VACUUM and by the recycling of the log",
    limit="hours by autovacuum; archived logs as long as they are kept (35 days at most)",
)
registry.add_store(
    name="Backups and replicas",
    holds="the database and the pictures as they were",
    on_erasure="not touched; `replay_erasures` erases again after a restore",
    limit="35 days at most, to be set where backups are made",
)
registry.add_store(
    name="Mails and SMS already sent",
    holds="address and text of each message",
    on_erasure="out of our hands",
    limit="the mail and SMS providers' terms",
)
registry.add_store(
    name="Files that were exported or imported",
    holds="whatever people downloaded, or laid ready for an import",
    on_erasure="out of our hands",
    limit="to be removed by whoever made them",
)
registry.add_store(
    name="Systems that synchronise over the API",
    holds="their own copies",
    on_erasure="learn of it from the event customer.anonymised or customer.deleted",
    limit="their own",
)
registry.add_store(
    name="Logs of the application and the web server",
    holds="ids and path templates; addresses of the network in the web server's",
    on_erasure="not touched; no names, contact points or query strings stand in ours",
    limit="to be set by the operator (14 days are usual)",
)
