"""Keep a copy of the customers: python replica.py https://crm.example.org/api/v1/ TOKEN copy.json

Run it as often as you like; it goes on where it stopped. Needs Python and httpx.
"""

import json
import sys
from pathlib import Path

import httpx


class Replica:
    """The customers by id, and the place in the change feed up to which they are true."""

    def __init__(self, client, path):
        self.client, self.path = client, Path(path)
        known = json.loads(self.path.read_text("utf-8")) if self.path.exists() else {}
        self.cursor = known.get("cursor")
        self.customers = known.get("customers", {})

    def save(self):
        text = json.dumps({"cursor": self.cursor, "customers": self.customers})
        beside = self.path.with_suffix(".new")
        beside.write_text(text, "utf-8")
        beside.replace(self.path)  # whole or not at all

    def get(self, path, **params):
        answer = self.client.get(path, params=params)
        if answer.status_code not in (404, 410):
            answer.raise_for_status()
        return answer.status_code, answer.json()

    def start(self):
        """Everything once. The cursor comes first: what changes meanwhile is told behind it."""
        _status, page = self.get("changes/", cursor="latest")
        customers, cursor = {}, None
        while True:
            place = {"cursor": cursor} if cursor else {}
            _status, rows = self.get("customers/", page_size=500, **place)
            customers |= {row["id"]: row for row in rows["results"]}
            if rows["next"] is None:
                break
            cursor = httpx.URL(rows["next"]).params["cursor"]
        self.cursor, self.customers = page["cursor"], customers
        self.save()

    def follow(self, pages=None):
        """Take over what happened since; at most `pages` pages. False when there is more."""
        if self.cursor is None:
            self.start()
        while pages != 0:
            status, page = self.get("changes/", cursor=self.cursor, limit=500)
            if status == 410:  # away for too long
                self.start()
                continue
            for event in page["results"]:
                if event["event"] == "import.completed":
                    self.start()  # an import has no event for each of its customers
                    return self.follow(pages)
            for customer_id in {name for event in page["results"] for name in concerned(event)}:
                self.refresh(customer_id)
            self.cursor = page["cursor"]
            self.save()
            if page["next"] is None:
                return True
            pages = pages and pages - 1
        return False

    def refresh(self, customer_id):
        """Fetch one customer anew: gone, changed, or part of another one by now."""
        status, row = self.get(f"customers/{customer_id}/")
        self.customers.pop(customer_id, None)
        if status != 404:
            self.customers[row["id"]] = row


def concerned(event):
    """The ids of the customers that an event may have changed."""
    ids = (event["customer"], event["data"].get("survivor"), event["data"].get("merged"))
    return [name for name in ids if name]


if __name__ == "__main__":
    base, token, file = sys.argv[1:]
    bearer = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=base, headers=bearer, timeout=60) as connection:
        replica = Replica(connection, file)
        replica.follow()
        sys.stdout.write(f"{len(replica.customers)} customers\n")
