from django.apps import AppConfig


class CustomersConfig(AppConfig):
    name = "customers"
    verbose_name = "Customers"

    def ready(self):
        # jobs and registry add what they have by being loaded
        from customers import jobs, kinds, messages, registry  # noqa: F401
        from customers.hooks import hooks
        from customers.services.messaging import forget_typed

        kinds.register()
        messages.register()
        hooks.erased.append(forget_typed)
        hooks.deleted.append(forget_typed)
