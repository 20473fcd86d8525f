from django.apps import AppConfig


class CustomersConfig(AppConfig):
    name = "customers"
    verbose_name = "Customers"

    def ready(self):
        # jobs and registry add what they have by being loaded
        from customers import jobs, kinds, messages, registry  # noqa: F401
        from customers.hooks import hooks
        from customers.services.bulk_deeds import offer_bulk_deeds
        from customers.services.data_requests import answer_erasures
        from customers.services.messaging import forget_typed
        from customers.services.reading import write_read
        from events import reading

        kinds.register()
        reading.write_with("customer", write_read)
        messages.register()
        hooks.erased.append(forget_typed)
        hooks.deleted.append(forget_typed)
        hooks.erased.append(answer_erasures)
        hooks.deleted.append(answer_erasures)
        offer_bulk_deeds()
