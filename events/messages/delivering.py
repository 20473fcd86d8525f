"""The ways out: a mail by Django's mail backend, an SMS by the gateway that SMS_URL names.

Whatever goes wrong there becomes one DeliveryFailed, with the reason in our words and whether
another try could help; what the provider said is not kept, because it repeats the address.
"""

from events.messages.failures import DeliveryFailed
from events.messages.mail import send_mail
from events.messages.purposes import EMAIL
from events.messages.sms import send_sms

__all__ = ["DeliveryFailed", "deliver"]


def deliver(message, to, composed):
    """Hand a Composed message to the provider and return the provider's id of it, "" where it
    gives none. `message` lends its id, which the provider may recognise a repetition by.

    Must not be called inside a transaction. Raises DeliveryFailed.
    """
    if message.channel == EMAIL:
        return send_mail(message, to, composed)
    return send_sms(message, to, composed.text)
