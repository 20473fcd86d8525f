"""Keep a copy of the customers: python replica.py https://crm.example.org/api/v1/ TOKEN copy.json

Run it as often as you like; it goes on where it stopped. Needs Python and httpx."""

import json
import sys
from pathlib import Path

import httpx


class Replica:
    def __init__(self, client, path):
        self.client, self.path = client, Path(path)
        known = json.loads(self.path.read_text()) if self.path.exists() else {}
        self.cursor, self.customers = known.get("cursor"), known.get("customers", {})

    def save(self):
        beside = self.path.with_suffix(".new")
        beside.write_text(json.dumps({"cursor": self.cursor, "customers": self.customers}))
        beside.replace(self.path)  # the copy and its place in the feed: both or neither

    def get(self, path, **params):
        answer = self.client.get(path, params=params)
        return answer if answer.status_code in (404, 410) else answer.raise_for_status()

    def start(self):  # the cursor before the list: what changes meanwhile is told behind it
        cursor, place, customers = self.get("changes/", cursor="latest").json()["cursor"], {}, {}
        while place is not None:
            page = self.get("customers/", page_size=500, **place).json()
            customers |= {row["id"]: row for row in page["results"]}
            place = page["next"] and {"cursor": httpx.URL(page["next"]).params["cursor"]}
        self.cursor, self.customers = cursor, customers
        self.save()

    def follow(self, pages=None):  # all that happened since, or so many pages of it
        more = True
        while more and pages != 0:
            answer = self.cursor and self.get("changes/", cursor=self.cursor, limit=500)
            if not answer or answer.status_code == 410:  # new here, or away for too long
                self.start()
                continue
            page = answer.json()
            if any(event["event"] == "import.completed" for event in page["results"]):
                return self.start()  # an import has no event for each customer: list again
            about = [{"customer": event["customer"], **event["data"]} for event in page["results"]]
            names = {one.get(key) for one in about for key in ("customer", "survivor", "merged")}
            for name in names - {None}:
                row = self.get(f"customers/{name}/")
                self.customers.pop(name, None)  # gone, or part of another one by now
                if row.status_code == 200:
                    self.customers[row.json()["id"]] = row.json()
            self.cursor, more, pages = page["cursor"], page["next"], pages and pages - 1
            self.save()


if __name__ == "__main__":
    base, token, file = sys.argv[1:]
    http = httpx.Client(base_url=base, headers={"Authorization": f"Bearer {token}"}, timeout=60)
    Replica(http, file).follow()
