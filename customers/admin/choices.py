"""Lists to choose from that a page asks for once, however many fields and rows offer them."""

from django.forms.models import ModelChoiceIterator


class RemembersChoices:
    """For an admin or an inline: the fields of `remembered_choices` (names of foreign keys) offer
    what stands in the request already where another field has asked for the same table."""

    remembered_choices = ()

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if field is not None and db_field.name in self.remembered_choices:
            field.iterator = _iterator(request, db_field.related_model)
            field.queryset = field.queryset  # hands the iterator to the widget
        return field


def _iterator(request, model):
    class Remembered(ModelChoiceIterator):
        def __iter__(self):
            if self.field.empty_label is not None:
                yield "", self.field.empty_label
            known = request.__dict__.setdefault("remembered_choices", {})
            if model not in known:
                known[model] = list(model.objects.all())
            for row in known[model]:
                yield self.choice(row)

    return Remembered
