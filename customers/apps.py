from django.apps import AppConfig


class CustomersConfig(AppConfig):
    name = "customers"
    verbose_name = "Customers"

    def ready(self):
        from customers import jobs, kinds, messages  # noqa: F401  (jobs registers itself)
        from customers.hooks import hooks
        from customers.services.messaging import forget_typed

        kinds.register()
        messages.register()
        hooks.erased.append(forget_typed)
        hooks.deleted.append(forget_typed)
