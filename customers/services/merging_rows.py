"""The rows of two records that become one: moved, recognised as the same, and brought back.

A journal is a dict of JSON, empty at first. Each app that has rows at customers keeps one: ours is
the merge's own, `merge.journal`; a higher app takes `merge.journal.setdefault(<its name>, {})` and
the same functions.
"""

from django.apps import apps

from customers.snapshots import kept, plain, rebuilt, value_of, without_lost_references


def keep_rows(journal, rows):
    """Write down rows of the record that is about to be merged, as they are now."""
    for row in rows:
        journal.setdefault("rows", {}).setdefault(row._meta.label, []).append(kept(row))


def move_rows(rows, survivor, **columns):
    """Hand saved rows (all of one model) to the survivor; `columns` maps further columns to a
    function of the row and its place among them."""
    for index, row in enumerate(rows):
        row.customer_id = survivor.pk
        for name, value in columns.items():
            setattr(row, name, value(row, index))
    if rows:
        type(rows[0]).objects.bulk_update(rows, ["customer", *columns], batch_size=100)


def alter_row(journal, row, values):
    """Set columns of a row that was the survivor's all along, and remember what stood there."""
    before = {name: plain(getattr(row, name)) for name in values}
    for name, value in values.items():
        setattr(row, name, value)
    changed = {
        name: [old, plain(getattr(row, name))]
        for name, old in before.items()
        if old != plain(getattr(row, name))
    }
    if changed:
        row.save(update_fields=_names(row, changed))
        journal.setdefault("altered", []).append([row._meta.label, str(row.pk), changed])


def put_back_altered(journal):
    """Give altered rows of the survivor their former values, where nobody has changed them since
    and the rows are still there."""
    for label, key, changed in journal.get("altered", ()):
        model = apps.get_model(label)
        row = model.objects.filter(pk=key).first()
        if row is None:
            continue
        back = [name for name, (_old, new) in changed.items() if plain(getattr(row, name)) == new]
        for name in back:
            setattr(row, name, value_of(model._meta.get_field(name), changed[name][0]))
        if back:
            row.save(update_fields=_names(row, back))


def _names(row, columns):
    return sorted(row._meta.get_field(column).name for column in columns)


def bring_back_rows(journal):
    """Give the merged record its rows as they were, wherever they are and whatever was done to
    them since."""
    for label, rows in journal.get("rows", {}).items():
        model = apps.get_model(label)
        model.objects.filter(pk__in=[row[model._meta.pk.attname] for row in rows]).delete()
        fit = without_lost_references([rebuilt(model, row) for row in rows])
        model.objects.bulk_create(fit, batch_size=100)


def journal_rows(journal):
    """Every row that a merge's journal holds, of any app, as unsaved instances."""
    if not isinstance(journal, dict):
        return
    if "record" in journal:
        yield rebuilt(apps.get_model("customers.Customer"), journal["record"])
    for label, rows in journal.get("rows", {}).items():
        for row in rows:
            yield rebuilt(apps.get_model(label), row)
    for label, (before, _after) in journal.get("replaced", {}).items():
        if before:
            yield rebuilt(apps.get_model(label), before)
    for part in journal.values():
        if isinstance(part, dict) and ("rows" in part or "altered" in part):
            yield from journal_rows(part)
